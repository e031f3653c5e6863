-- sync.once()(x): the argument was counted as the once object's method does, from 2.
local _, e = pcall(function() sync.once()(5) end)
print((e:gsub("^[^:]*:%d+: ", "")))   -- expect: bad argument #1 to '?' (function expected, got number)
local _, e = pcall(function() local once = sync.once() once() end)
print((e:gsub("^[^:]*:%d+: ", "")))   -- expect: bad argument #1 to 'once' (function expected, got no value)
