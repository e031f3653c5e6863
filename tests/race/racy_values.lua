-- options: --race
-- expect-status: 66
-- Loops read the values, too: pairs, ipairs, table.unpack, table.sort.
-- expect-stderr: ^	tests/race/racy_values\.lua:16: in upvalue '(reader|writer)'$
-- expect-stderr: ^	tests/race/racy_values\.lua:17: in upvalue '(reader|writer)'$
-- expect-stderr: ^	tests/race/racy_values\.lua:18: in upvalue '(reader|writer)'$
-- expect-stderr: ^	tests/race/racy_values\.lua:19: in upvalue '(reader|writer)'$
-- expect-stderr: ^Found 4 data races$
local wg = sync.waitgroup()
local function race(reader)
  local t = {1, 2, 3}
  wg:go(function() t[2] = 5 end)
  wg:go(function() reader(t) end)
  wg:wait()
end
race(function(t) for _ in pairs(t) do end end)
race(function(t) for _ in ipairs(t) do end end)
race(function(t) table.unpack(t) end)
race(function(t) table.sort(t) end)
