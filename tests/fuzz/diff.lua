-- diff.lua LUNGO FIRST COUNT: runs COUNT random programs (batch.lua) under LUNGO and lua5.4, from seed FIRST on. They must
-- print the same. A program that does not is made as small as it gets while it still differs, and printed with both outputs.
-- Run by lua5.4. Environment: DIFF_MAX, after how many different programs to stop (default 1). Exit status 1 if any differs.
local lungo, first, count = arg[1], tonumber(arg[2]), tonumber(arg[3])
local dir = arg[0]:match("^(.*)/[^/]*$") or "."
local batch, max = dir .. "/batch.lua", tonumber(os.getenv("DIFF_MAX") or 1)
local CHUNK = 1000 -- programs a process
local tmp = os.tmpname()
local engines = {"lua5.4", lungo}

local function read(name)
  local f = assert(io.open(name, "rb"))
  local s = f:read("a")
  f:close()
  return s
end
local function write(name, s)
  local f = assert(io.open(name, "wb"))
  f:write(s)
  f:close()
end

-- Both engines at once; what each prints, and its status as the last line if that is not 0.
local function both(args, seconds)
  local cmd = {}
  for i, e in ipairs(engines) do
    cmd[i] = ("{ timeout %d '%s' '%s' %s >'%s.%d' 2>&1 </dev/null || echo \"status $?\" >>'%s.%d'; } &"):format(seconds, e, batch, args, tmp, i, tmp, i)
  end
  os.execute(table.concat(cmd, " ") .. " wait")
  return read(tmp .. ".1"), read(tmp .. ".2")
end

local function outputs(text)
  write(tmp, text)
  return both(("file '%s'"):format(tmp), 5)
end
local function differs(text)
  if not text:find("^%-%- load only") and not load(text) then return false end
  local a, b = outputs(text)
  return a ~= b and not a:find("status 124", 1, true) -- what is left may not end
end

-- Removes parts, first many at once, as long as the rest still differs.
local function shrink(parts, joined)
  local size = math.max(1, #parts // 2)
  while size >= 1 do
    local i, removed = 1, false
    while i <= #parts do
      local less = table.move(parts, 1, i - 1, 1, {})
      table.move(parts, i + size, #parts, i, less)
      if #less > 0 and differs(joined(less)) then parts, removed = less, true else i = i + size end
    end
    if not removed or size > 1 then size = size // 2 end
  end
  return parts
end
local function minimized(text)
  local head = text:match("^%-%- load only\n") or text:match("^.*%-%- %-%-%-%- end of prelude\n") or ""
  local lines, tokens = {}, {}
  for l in text:sub(#head + 1):gmatch("[^\n]*\n?") do if l ~= "" then lines[#lines + 1] = l end end
  local function joined(parts) return head .. table.concat(parts) end
  lines = shrink(lines, joined)
  if #lines > 40 then return joined(lines) end
  for space, t in table.concat(lines):gmatch("(%s*)([%w_]*.?)") do if space .. t ~= "" then tokens[#tokens + 1] = space .. t end end
  if #tokens < 400 and joined(tokens) == joined(lines) then return joined(shrink(tokens, joined)) end
  return joined(lines)
end

local function report(seed)
  local text = read((both(("text %d"):format(seed), 10) and tmp .. ".1"))
  local a, b = outputs(text)
  print(("seed %d (lua5.4 tests/fuzz/batch.lua text %d)%s"):format(seed, seed, a == b and ": differs only among others" or ""))
  if a == b then return end
  text = minimized(text)
  a, b = outputs(text)
  local function cut(t) return #t <= 2000 and t or t:sub(1, 2000) .. "...\n" end
  print("---- program\n" .. text:gsub("^.*%-%- %-%-%-%- end of prelude\n", "") .. "\n---- lua5.4\n" .. cut(a) .. "---- lungo\n" .. cut(b))
  io.flush()
end

local function lines_of(s)
  local t = {}
  for l in s:gmatch("[^\n]+") do t[#t + 1] = l end
  return t
end

local bad = 0
for from = first, first + count - 1, CHUNK do
  local to = math.min(from + CHUNK, first + count) - 1
  local a, b = both(("run %d %d"):format(from, to), 300)
  if a ~= b then
    a, b = lines_of(a), lines_of(b)
    for i = 1, to - from + 1 do
      if a[i] ~= b[i] or not (a[i] or ""):find("^%d") then
        bad = bad + 1
        report(from + i - 1)
        if not (a[i] or ""):find("^%d+ ") or not (b[i] or ""):find("^%d+ ") or bad >= max then break end -- one of them ended there
      end
    end
  end
  if bad >= max then break end
end
for i = 1, 2 do os.remove(tmp .. "." .. i) end
os.remove(tmp)
os.exit(bad == 0)
