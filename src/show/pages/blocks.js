// Blocks of numbers in the data: lists, the bytes of floats, or a grey PNG whose rows are those of all channels, one
// channel below the other. A PNG is decoded here, because a canvas may change values by colour management.
"use strict";

/// The values of a block, row-major.
function decodeBlock(block) {
  if (block.numbers) return Float64Array.from(block.numbers, Math.fround);
  if (block.f32) return Float64Array.from(new Float32Array(bytesOf(block.f32).buffer));
  return greyPng(bytesOf(block.png));
}

function bytesOf(base64) { return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)); }

/// The pixels of a grey PNG of 8 or 16 bits that is not interlaced (Portable Network Graphics, W3C 2003).
function greyPng(file) {
  const view = new DataView(file.buffer);
  const width = view.getUint32(16), height = view.getUint32(20), size = file[24] / 8, row = width * size;
  const parts = [];
  for (let at = 8; at < file.length;) {
    const length = view.getUint32(at), type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    if (type === "IDAT") parts.push(file.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const stream = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of parts) {
    stream.set(part, end);
    end += part.length;
  }
  const lines = inflate(stream, (row + 1) * height);
  const values = new Float64Array(width * height);
  let above = new Uint8Array(row);
  for (let y = 0; y < height; ++y) {
    const line = lines.subarray(y * (row + 1) + 1, (y + 1) * (row + 1));
    unfilter(lines[y * (row + 1)], line, above, size);
    for (let x = 0; x < width; ++x) values[y * width + x] = size === 1 ? line[x] : line[2 * x] * 256 + line[2 * x + 1];
    above = line;
  }
  return values;
}

function unfilter(filter, line, above, size) {
  for (let i = 0; i < line.length; ++i) {
    const a = i < size ? 0 : line[i - size], b = above[i], c = i < size ? 0 : above[i - size];
    if (filter === 1)
      line[i] += a;
    else if (filter === 2)
      line[i] += b;
    else if (filter === 3)
      line[i] += (a + b) >> 1;
    else if (filter === 4) {
      const pa = Math.abs(b - c), pb = Math.abs(a - c), pc = Math.abs(a + b - 2 * c);
      line[i] += pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
    }
  }
}

/// Decompresses a zlib stream (RFC 1950, RFC 1951) to `size` bytes. Browsers can do it only later, by
/// DecompressionStream, and the page is complete when it has loaded.
function inflate(stream, size) {
  const out = new Uint8Array(size);
  let at = 2, bits = 0, count = 0, end = 0;  // after the header of two bytes
  const take = (n) => {
    while (count < n) {
      bits |= stream[at++] << count;
      count += 8;
    }
    const value = bits & ((1 << n) - 1);
    bits >>>= n;
    count -= n;
    return value;
  };

  /// Canonical codes: how many there are of each length, and their symbols in order.
  const codes = (lengths) => {
    const counts = new Uint16Array(16), starts = new Uint16Array(16), symbols = new Uint16Array(lengths.length);
    for (const length of lengths) counts[length] += length > 0;
    for (let i = 1; i < 16; ++i) starts[i] = starts[i - 1] + counts[i - 1];
    lengths.forEach((length, symbol) => {
      if (length > 0) symbols[starts[length]++] = symbol;
    });
    return {counts, symbols};
  };
  const decode = ({counts, symbols}) => {
    let code = 0, first = 0, index = 0;
    for (let length = 1;; ++length) {
      code |= take(1);
      const here = counts[length];
      if (code - here < first) return symbols[index + code - first];
      index += here;
      first = (first + here) << 1;
      code <<= 1;
    }
  };

  const fixed = () => {
    const lengths = Array.from({length: 288}, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8));
    return [codes(lengths), codes(new Array(30).fill(5))];
  };
  const dynamic = () => {
    const literals = take(5) + 257, distances = take(5) + 1, used = take(4) + 4;
    const order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    const short = new Array(19).fill(0);
    for (let i = 0; i < used; ++i) short[order[i]] = take(3);
    const table = codes(short), lengths = [];
    while (lengths.length < literals + distances) {
      const symbol = decode(table);
      if (symbol < 16)
        lengths.push(symbol);
      else if (symbol === 16)
        lengths.push(...new Array(take(2) + 3).fill(lengths[lengths.length - 1]));
      else
        lengths.push(...new Array(symbol === 17 ? take(3) + 3 : take(7) + 11).fill(0));
    }
    return [codes(lengths.slice(0, literals)), codes(lengths.slice(literals))];
  };

  const lengthOf = (symbol) => {
    const i = symbol - 257;
    if (i < 8) return 3 + i;
    if (i === 28) return 258;
    const extra = (i >> 2) - 1;
    return 3 + ((4 + (i & 3)) << extra) + take(extra);
  };
  const distanceOf = (symbol) => {
    if (symbol < 4) return 1 + symbol;
    const extra = (symbol >> 1) - 1;
    return 1 + ((2 + (symbol & 1)) << extra) + take(extra);
  };

  for (let last = false; !last;) {
    last = take(1) === 1;
    const type = take(2);
    if (type === 0) {
      bits = count = 0;
      const length = stream[at] | (stream[at + 1] << 8);
      out.set(stream.subarray(at + 4, at + 4 + length), end);
      at += 4 + length;
      end += length;
      continue;
    }
    const [literals, distances] = type === 1 ? fixed() : dynamic();
    for (let symbol; (symbol = decode(literals)) !== 256;) {
      if (symbol < 256) {
        out[end++] = symbol;
        continue;
      }
      const length = lengthOf(symbol), distance = distanceOf(decode(distances));
      for (let i = 0; i < length; ++i, ++end) out[end] = out[end - distance];
    }
  }
  return out;
}
