// From responses to stored values, and the comparison with those of the engine.
"use strict";

/// The maps for these responses: those of the data, unless a change of the layer has changed the range that they
/// stretch. There is one map, or one for each of R, G and B.
function mapsOfRange(result, responses) {
  const {map, maps, percentiles, full, unit_maps: unitMaps} = result;
  if (map !== "normalize" && map !== "signed") return maps;
  const numbers = responses.values.filter((v) => !Number.isNaN(v)).sort();
  if (numbers.length === 0) return maps;
  const rank = (percent) => Math.max(1, Math.ceil((percent * numbers.length / 100) * (1 - 2 ** -50)));
  const [low, high] = percentiles ? percentiles.map((p) => Math.fround(numbers[rank(p) - 1])) :
                                    [numbers[0], numbers[numbers.length - 1]];
  if (map === "normalize") return [{...maps[0], shift: low, scale: high > low ? full / (high - low) : 1}];
  const limit = Math.max(Math.abs(low), Math.abs(high));
  return unitMaps.map(
      (unit) => ({...unit, scale: limit > 0 ? unit.scale / limit : 1, limit: unit.limit === null ? null : limit}));
}

/// The stored values: a plane with a channel for each of the responses', or for R, G and B.
function storedPlane(responses, maps, dtype) {
  const area = responses.rows * responses.cols, c = maps.length > 1 ? maps.length : responses.c;
  const plane = {...responses, c, values: new Float64Array(c * area)};
  for (let channel = 0; channel < c; ++channel)
    for (let i = 0; i < area; ++i) {
      const response = responses.values[(maps.length > 1 ? 0 : channel) * area + i];
      plane.values[channel * area + i] = stored(mapped(maps[maps.length > 1 ? channel : 0], response), dtype) + 0;
    }
  return plane;
}

/// The lowest and the highest value that the engine may have stored where this page has computed `response`. The
/// engine's responses are those of this page where its sums are exact, and else within `bound` of them: it adds
/// products in floats, in an order of its own, or by Fourier transforms. The page's own rounding, of doubles, is below
/// 2^-12 of that bound for kernels of up to a million taps. Storing is monotonic, except that a map may take the
/// absolute value; so a stored value may differ only where a rounding tie, or the threshold, lies within the bound.
function storedRange(map, response, bound, dtype) {
  const error = bound * (1 + 2 ** -12);
  const ends = [response - error, response + error];
  if (map.absolute && ends[0] < 0 && ends[1] > 0) ends.push(0);
  const values = ends.map((end) => stored(mapped(map, end), dtype));
  return [Math.min(...values), Math.max(...values)];
}

/// Compares the responses of this page with what the engine has stored, and replaces in `plane`, the stored values of
/// this page, those that differ within the bound by the engine's. Returns how many values were compared, how many are
/// equal and how many differ within the bound, the largest absolute response, and the first value that differs by more,
/// or null.
function compareWithEngine(responses, plane, result) {
  const [y, x, rows, cols] = result.region, {maps, dtype, error_bound: bound} = result;
  const engine = decodeBlock(result.stored),
        found = {compared: 0, equal: 0, close: 0, bound, largest: 0, difference: null};
  for (let c = 0; c < plane.c; ++c)
    for (let i = 0; i < rows; ++i)
      for (let j = 0; j < cols; ++j) {
        const own = valueAt(plane, c, y + i, x + j), theirs = engine[(c * rows + i) * cols + j] + 0;
        if (own === null) continue;
        const hasColours = maps.length > 1, response = valueAt(responses, hasColours ? 0 : c, y + i, x + j);
        found.largest = Math.max(found.largest, Math.abs(response) || 0);
        ++found.compared;
        if (Object.is(own, theirs)) {
          ++found.equal;
          continue;
        }
        const [low, high] = storedRange(maps[hasColours ? c : 0], response, bound, dtype);
        if (theirs >= low && theirs <= high) {
          ++found.close;
          setValue(plane, c, y + i, x + j, theirs);
        } else {
          found.difference = found.difference ?? {channel: c, y: y + i, x: x + j, own, engine: theirs};
        }
      }
  return found;
}
