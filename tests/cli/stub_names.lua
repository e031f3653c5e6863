-- Prints what the stubs of docs/library declare, as names.lua prints what is really there, and checks each of them.
-- usage: lua5.4 stub_names.lua FILES
local bad = false

local function read_stub(file)
  local class, pending, params = nil, {}, {}   -- of the comment block we are in
  local class_of, is_lib = {}, {}              -- by the name of a variable of the file
  local described, n = false, 0

  local function complain(what)
    io.stderr:write(file, ":", n, ": ", what, "\n")
    bad = true
  end

  -- A class that no variable stands for has its methods in fields.
  local function end_block(var)
    if class and var then
      class_of[var] = class
    end
    for _, p in ipairs(pending) do
      if var and is_lib[var] then
        print(p.meta and var or var .. "." .. p.name)
      elseif p.meta then
        print(class .. " " .. p.meta)
      elseif p.is_function and not p.name:find("%[") then
        print(class .. ":" .. p.name)
      end
    end
    class, pending, params, described = nil, {}, {}, false
  end

  local function declare(name, args)
    local given = table.concat(params, ", ")
    if given ~= args then complain(("parameters are (%s), described are (%s)"):format(args, given)) end
    if not described then complain(name .. " has no description") end
    local object, method = name:match("^(%w+)[.:](%w+)$")
    print(object and class_of[object] and not is_lib[object] and class_of[object] .. ":" .. method or name)
  end

  for line in io.lines(file) do
    n = n + 1
    local tag, rest = line:match("^%-%-%-@(%a+)%s*(.*)")
    if tag == "class" then
      class = rest:match("^[%w.]+")
    elseif tag == "field" then
      local name, type = rest:match("^(%S-)%??%s+(.*)")
      pending[#pending + 1] = { name = name, is_function = type:find("^fun%(") ~= nil }
    elseif tag == "operator" then
      pending[#pending + 1] = { meta = "__" .. rest:match("^%a+") }
    elseif tag == "overload" and class then
      if not (pending[#pending] or {}).call then pending[#pending + 1] = { meta = "__call", call = true } end
    elseif tag == "param" then
      params[#params + 1] = rest:match("^[%w_.]+")
    elseif tag then
      if not ("meta alias generic return nodiscard overload"):find(tag) then complain("unknown annotation @" .. tag) end
    elseif line:find("^%-%-%-") then
      described = true
    elseif line:find("^local %w+ = {}$") then
      end_block(line:match("^local (%w+)"))
    elseif line:find("^%w+ = {}$") then
      local var = line:match("^%w+")
      is_lib[var] = true
      end_block(var)
    elseif line:find("^function ") then
      declare(line:match("^function ([%w.:]+)%((.-)%) end$"))
      end_block()
    elseif line == "" then
      end_block()
    elseif not line:find("^%-%- ") then
      complain("unexpected line")
    end
  end
  end_block()
end

for _, file in ipairs(arg) do
  assert(loadfile(file))   -- plain Lua
  assert(io.open(file):read() == "---@meta", file .. " does not begin with ---@meta")
  read_stub(file)
end
os.exit(not bad)
