-- Prints the name of everything that lungo adds to Lua, one a line: globals (go, sync.mutex), methods of objects by the
-- name of their metatable (sync.mutex:lock), and, as `KIND __len`, what metamethods programs can see.
-- usage: lungo names.lua FILE    FILE: the names of lua5.4's globals, one a line
local stock = {}
for name in io.lines(arg[1]) do stock[name] = name ~= "select" end   -- one name with a second meaning

for name, v in pairs(_G) do
  if not stock[name] and name ~= "arg" then
    local callable = type(v) ~= "table" or (getmetatable(v) or {}).__call
    if callable then print(name) end
    if type(v) == "table" then
      for field in pairs(v) do print(name .. "." .. field) end
    end
  end
end

-- The libraries keep the metatables of their objects in the registry, by name.
for kind, meta in pairs(debug.getregistry()) do
  if type(kind) == "string" and kind ~= "FILE*" and type(meta) == "table" and rawget(meta, "__name") == kind then
    local methods = meta.__index
    if type(methods) == "function" then methods = select(2, debug.getupvalue(methods, 1)) end   -- time's have a field c
    for name in pairs(methods or {}) do print(kind .. ":" .. name) end
    for name in pairs(meta) do
      if name == "__call" or name == "__len" or name == "__close" then print(kind .. " " .. name) end
    end
  end
end
