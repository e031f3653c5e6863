-- seeds.lua OUTDIR FILE...: first inputs for the fuzz targets of tests/fuzz, made of the tests and examples. Run by lungo.
-- OUTDIR/{text,binary,tokens,strings,numbers} must exist. Files are named by their number: the same inputs, the same names.
local out, files = arg[1], {table.unpack(arg, 2)}
local LONGEST = 2000 -- longer texts are cut at their lines

local count, seen = {}, {}
local function put(target, s)
  if s == "" or seen[target .. s] then return end
  seen[target .. s] = true
  count[target] = (count[target] or 0) + 1
  local f = assert(io.open(("%s/%s/%05d"):format(out, target, count[target]), "wb"))
  f:write(s)
  f:close()
end

-- tokens.dict: the longest token that matches comes first
local tokens = {}
for line in io.lines("tests/fuzz/tokens.dict") do
  local t = line:match('^"(.*)"$')
  if t then tokens[#tokens + 1] = {text = t:gsub("\\\\", "\\"), byte = #tokens} end
end
table.sort(tokens, function(a, b) return #a.text > #b.text end)
local by_first = {}
for _, t in ipairs(tokens) do
  local c = t.text:sub(1, 1)
  by_first[c] = by_first[c] or {}
  table.insert(by_first[c], t)
end

local function tokenized(s)
  local bytes = {}
  s = s:gsub("%-%-[^\n]*", " ")
  local i = 1
  while i <= #s do
    i = s:find("%S", i)
    if not i then break end
    local hit
    for _, t in ipairs(by_first[s:sub(i, i)] or {}) do
      if s:sub(i, i + #t.text - 1) == t.text then hit = t break end
    end
    if hit then
      bytes[#bytes + 1] = string.char(hit.byte)
      i = i + #hit.text
    else -- any name or character becomes x
      bytes[#bytes + 1] = string.char(#tokens > 0 and 30 or 0)
      i = s:match("^[%w_]+()", i) or i + 1
    end
  end
  return table.concat(bytes)
end

local function piece(s)
  put("text", s)
  put("tokens", tokenized(s):sub(1, 200))
  local f = load(s)
  if f then
    put("binary", string.dump(f, true))
    local d = string.dump(f)
    put("binary", d:sub((select(2, d:find("lungo bytecode\n", 1, true))) + 2)) -- without its header
  end
end

local function argument(s) -- as engine.c reads it: a string of even length
  s = s:sub(1, 60)
  if #s % 2 == 1 then s = s .. " " end
  return string.char(#s // 2 * 8 + 6) .. s
end

for _, name in ipairs(files) do
  local f = assert(io.open(name, "rb"))
  local s = f:read("a")
  f:close()
  if #s <= LONGEST then piece(s) end
  for line in s:gmatch("[^\n]+") do
    if #line > 8 and load(line) then piece(line) end
  end
  for literal in s:gmatch('"([^"\n]*)"') do
    if #literal <= 40 then
      for fn = 0, 9 do
        if literal:find("%", 1, true) or fn == 1 or fn == 2 then
          put("strings", string.char(fn) .. literal .. "\0" .. argument("ab 12 x=y (z) 7.5") .. "\2\20")
        end
      end
    end
  end
  for numeral in s:gmatch("%-?%.?%d[%w.]*[+-]?%d*") do put("numbers", numeral) end
end
