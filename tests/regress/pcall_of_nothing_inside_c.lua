-- A protected call that fails before it begins, in a function that C code calls: the error went to the level of the
-- interpreter below, which went on in the frame of pcall and left the C function, and all that followed, undone.
-- Protects: vm/call.c (vm_pcallk in a level that is not armed).
local t, n = {3, 1, 2, 5, 4}, 0
table.sort(t, function(a, b)
  local ok, e = pcall(5)
  assert(not ok and e == "attempt to call a number value")
  n = n + 1
  return a < b
end)
print(n > 0, table.unpack(t)) -- expect: true	1	2	3	4	5
print((("abc"):gsub(".", pcall))) -- expect: abc
print((("abc"):gsub(".", function(c) return select(2, xpcall(nil, function(m) return c:upper() end)) end))) -- expect: ABC
print(select("#", pcall(table.sort, {5, 4}, pcall))) -- expect: 1
