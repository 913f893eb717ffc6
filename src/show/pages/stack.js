function showStack(main) {}
