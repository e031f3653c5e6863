-- options: --race
-- expect-status: 66
-- Lengths and sets of keys: adding and removing keys against #, pairs, next and the table library.
-- expect-stderr: ^	tests/race/racy_shape\.lua:19: in upvalue '(reader|writer)'$
-- expect-stderr: ^	tests/race/racy_shape\.lua:20: in upvalue '(reader|writer)'$
-- expect-stderr: ^	tests/race/racy_shape\.lua:21: in upvalue '(reader|writer)'$
-- expect-stderr: ^	tests/race/racy_shape\.lua:22: in upvalue '(reader|writer)'$
-- expect-stderr: ^	tests/race/racy_shape\.lua:23: in upvalue '(reader|writer)'$
-- expect-stderr: \(length of a table\)
-- expect-stderr: \(keys of a table\)
-- expect-stderr: ^Found 5 data races$
local wg = sync.waitgroup()
local function race(writer, reader)
  local t = {1, 2, 3, a = 1}
  wg:go(function() writer(t) end)
  wg:go(function() reader(t) end)
  wg:wait()
end
race(function(t) t[4] = 4 end, function(t) return #t end)
race(function(t) t.b = 1 end, function(t) for _ in pairs(t) do end end)
race(function(t) t.a = nil end, function(t) next(t) end)
race(function(t) table.remove(t) end, function(t) pcall(table.concat, t) end)
race(function(t) table.insert(t, 1) end, function(t) rawlen(t) end)
