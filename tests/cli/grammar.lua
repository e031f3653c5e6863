-- Checks that its arguments are JSON, and prints the rules of the first, a TextMate grammar: number of the group that is
-- marked, tab, regular expression.
-- usage: lua5.4 grammar.lua GRAMMAR.json MORE.json...
local function read_json(file)
  local s = assert(io.open(file)):read("a")
  local at = 1
  local value

  local function fail(what)
    error(("%s: %s at byte %d"):format(file, what, at), 0)
  end
  local function skip() at = s:find("[^ \n\r\t]", at) or #s + 1 end
  local function expect(c)
    skip()
    if s:sub(at, at) ~= c then fail("'" .. c .. "' expected") end
    at = at + 1
  end
  local function accept(c)
    skip()
    if s:sub(at, at) ~= c then return false end
    at = at + 1
    return true
  end

  local escapes = { n = "\n", t = "\t", r = "\r", b = "\b", f = "\f", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }
  local function text()
    local out = {}
    expect '"'
    while true do
      local plain, next_at = s:match('^([^"\\%c]*)()', at)
      out[#out + 1], at = plain, next_at
      if s:sub(at, at) == '"' then
        at = at + 1
        return table.concat(out)
      end
      local escaped = escapes[s:match("^\\(.)", at)] or fail("bad string")
      out[#out + 1], at = escaped, at + 2
    end
  end

  local function members(close, read_one)
    local t = {}
    if accept(close) then return t end
    repeat read_one(t) until not accept ","
    expect(close)
    return t
  end

  function value()
    skip()
    local c = s:sub(at, at)
    if c == '"' then return text() end
    if accept "{" then
      return members("}", function(t)
        local key = text()
        if t[key] ~= nil then fail("'" .. key .. "' appears twice") end
        expect ":"
        t[key] = value()
      end)
    end
    if accept "[" then return members("]", function(t) t[#t + 1] = value() end) end
    fail("value expected")   -- our files have neither numbers nor booleans
  end

  local v = value()
  skip()
  if at <= #s then fail("end expected") end
  return v
end

local grammar = read_json(arg[1])
for i = 2, #arg do read_json(arg[i]) end

assert(grammar.scopeName and grammar.injectionSelector:find("source.lua", 1, true))
local used = {}
for _, p in ipairs(grammar.patterns) do used[assert(p.include:match("^#(.*)"))] = true end
for name, rule in pairs(grammar.repository) do
  assert(used[name], "rule " .. name .. " is not included")
  used[name] = nil
  for group, capture in pairs(rule.captures) do
    if capture.name then print(group .. "\t" .. rule.match) end
  end
end
assert(next(used) == nil, "a rule is included that is not there")
