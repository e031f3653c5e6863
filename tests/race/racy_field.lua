-- options: --race
-- expect-status: 66
-- Fields, also those found through __index, indexes and keys of other types.
-- expect-stderr: \(field 'count'\)
-- expect-stderr: \(index 7\)
-- expect-stderr: \(index -3\)
-- expect-stderr: \(index 0\.5\)
-- expect-stderr: \(index 1152921504606846976\)
-- expect-stderr: \(key true\)
-- expect-stderr: \(key table: 0x[0-9a-f]+\)
-- expect-stderr: \(field 'inherited'\)
-- expect-stderr: \(field 'stored'\)
-- expect-stderr: ^Found 9 data races$
local base, key = {inherited = 1}, {}
local store = {}
local t = setmetatable({count = 0, [7] = 7, [-3] = 1, [0.5] = 1, [1 << 60] = 1, [true] = 1, [key] = 1},
                       {__index = base, __newindex = store})
local wg = sync.waitgroup()
for i = 1, 2 do
  wg:go(function()
    t.count = i
    t[7.0] = i
    t[-3] = i
    t[1 / 2] = i
    t[1 << 60] = i
    t[true] = i
    t[key] = i
    t.stored = i
    if i == 1 then
      base.inherited = 2
    else
      assert(t.inherited)
    end
  end)
end
wg:wait()
