-- Checks a file of `lungo --trace`: lua5.4 trace_check.lua FILE [CONDITION]. The file must be strict JSON; slices of a
-- track nest; those of a goroutine are contiguous and follow each other as states do; each running slice stands on a
-- processor too; arrows begin in a slice and end where one begins. CONDITION is a Lua expression over:
--   count(NAME)       slices and instants of that name on goroutines' tracks
--   made(PATTERN)     goroutines whose track's name matches
--   procs, names, ended(N) (the last state of goroutine N), at(NAME) (places of such slices, sorted, separated by spaces)
local file, condition = ...
local f = assert(io.open(file, "rb"))
local text = f:read("a")
f:close()
if file:find("%.html$") then
  assert(text:find("^<!doctype html>") and text:find("</html>\n$"), "not a whole page")
  text = assert(text:match('<script id="trace" type="application/json">(.-)</script>'), "no events in the page")
end
assert(utf8.len(text), "not UTF-8")

-- ---- JSON, strictly. Numbers stay texts: times are compared as nanoseconds, exactly. ----
local at = 1
local function fail(what) error(("%s at byte %d: %q"):format(what, at, text:sub(at, at + 40)), 0) end
local function space() at = text:match("^[ \n\r\t]*()", at) end
local function str()
  local s, e = text:match('^"([^"\\\0-\31]*)()', at)
  if not s then fail("no string") end
  local parts = {s}
  at = e
  while text:byte(at) == 92 do -- backslash
    local c, after = text:match('^\\(["\\/bfnrt])()', at)
    if not c then c, after = text:match("^\\u(%x%x%x%x)()", at) end
    if not c then fail("bad escape") end
    parts[#parts + 1] = #c == 4 and utf8.char(tonumber(c, 16)) or c
    s, at = text:match('^([^"\\\0-\31]*)()', after)
    parts[#parts + 1] = s
  end
  if text:byte(at) ~= 34 then fail("string not closed") end
  at = at + 1
  return table.concat(parts)
end
local value
local function members(close, one)
  at = at + 1
  space()
  if text:sub(at, at) == close then at = at + 1 return end
  while true do
    one()
    space()
    local c = text:sub(at, at)
    at = at + 1
    if c == close then return end
    if c ~= "," then at = at - 1 fail("no , or " .. close) end
    space()
  end
end
function value()
  local c = text:sub(at, at)
  if c == "[" then
    local t = {}
    members("]", function() t[#t + 1] = value() end)
    return t
  elseif c == "{" then
    local t = {}
    members("}", function()
      local k = str()
      if t[k] ~= nil then fail("key twice") end
      space()
      if text:sub(at, at) ~= ":" then fail("no colon") end
      at = at + 1
      space()
      t[k] = value()
    end)
    return t
  elseif c == '"' then
    return str()
  end
  local n, e = text:match("^(%-?%d+%.?%d*)()", at)
  if not n or n:find("^%-?0%d") or n:find("%.$") then fail("no value") end
  at = e
  return n
end
space()
local events = value()
space()
if at <= #text then fail("something behind the array") end

-- ---- tracks ----
local function ns(t) -- "12.345" microseconds
  local us, frac = t:match("^(%d+)%.(%d%d%d)$")
  if us then return tonumber(us .. frac) end
  return tonumber(t:match("^%d+$")) * 1000
end
local tracks, names, starts, ends, kinds = {}, {}, {}, {}, {M = true, X = true, i = true, s = true, f = true, C = true}
local function track(e)
  local key = e.pid .. "/" .. e.tid
  tracks[key] = tracks[key] or {pid = e.pid, tid = e.tid, slices = {}, marks = {}}
  return tracks[key]
end
for _, e in ipairs(events) do
  assert(kinds[e.ph] and e.pid and e.tid and e.ts and e.name, "incomplete event")
  e.at = ns(e.ts)
  if e.ph == "X" then
    e.stop = e.at + ns(e.dur)
    table.insert(track(e).slices, e)
  elseif e.ph == "i" then
    table.insert(track(e).marks, e)
  elseif e.ph == "s" then
    assert(not starts[e.id], "two arrows of one number")
    starts[e.id] = e
  elseif e.ph == "f" then
    assert(not ends[e.id], "an arrow ends twice")
    ends[e.id] = e
  elseif e.name == "thread_name" then
    names[e.pid .. "/" .. e.tid] = e.args.name
  end
end
local function where(e) return ("%s/%s at %s us (%s)"):format(e.pid, e.tid, e.ts, e.name) end
for key, t in pairs(tracks) do
  assert(names[key], "a track without a name: " .. key)
  table.sort(t.slices, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return a.stop > b.stop
  end)
  local open = {}
  for _, s in ipairs(t.slices) do
    while #open > 0 and open[#open].stop <= s.at do open[#open] = nil end
    local outer = open[#open]
    if outer and s.stop > outer.stop then error("slices overlap: " .. where(outer) .. ", " .. where(s)) end
    s.depth = #open
    open[#open + 1] = s
  end
end

-- ---- goroutines ----
local follows = {running = "^[^r]", runnable = "^running$", syscall = "^runn"} -- others: runnable
local last = 0
for _, t in pairs(tracks) do
  if t.pid == "2" and #t.slices > 0 then last = math.max(last, t.slices[#t.slices].stop) end
end
local onproc, procs = {}, 0
for _, t in pairs(tracks) do
  if t.pid == "1" then
    procs = procs + 1
    for _, s in ipairs(t.slices) do
      if s.args then onproc[s.args.goroutine .. "/" .. s.ts .. "/" .. s.dur] = t.tid end
    end
  end
end
local function check_goroutine(t)
  local go, exit
  for _, m in ipairs(t.marks) do
    if m.name == "go" then assert(not go, "born twice: " .. where(m)) go = m end
    if m.name == "exit" then assert(not exit, "ended twice: " .. where(m)) exit = m end
  end
  assert(go, "never born: goroutine " .. t.tid)
  local time, before = go.at, nil
  for _, s in ipairs(t.slices) do
    assert(s.at == time, "a gap before " .. where(s))
    time = s.stop
    local want = before and (follows[before.name] or "^runn")
    if before and not (s.name:find(want) or (before.name == "running" and (s.name == "runnable" or s.name == "running"))) then
      error(before.name .. " before " .. where(s))
    end
    if s.name == "running" and s.args.processor ~= "-1" then
      assert(onproc[t.tid .. "/" .. s.ts .. "/" .. s.dur] == tostring(s.args.processor + 1), "not on its processor: " .. where(s))
    end
    before = s
  end
  assert(time == (exit and exit.at or last), "does not last to its end: goroutine " .. t.tid)
  t.last = before and before.name
end
local total, places, born = {}, {}, 0
for _, t in pairs(tracks) do
  if t.pid == "2" then
    check_goroutine(t)
    born = born + 1
    for _, e in ipairs(t.slices) do
      total[e.name] = (total[e.name] or 0) + 1
      places[e.name] = places[e.name] or {}
      if e.args.at then places[e.name][e.args.at] = true end
    end
    for _, e in ipairs(t.marks) do total[e.name] = (total[e.name] or 0) + 1 end
  end
end
assert(born > 0, "no goroutine")

-- ---- arrows ----
local function slice_at(t, time, begins)
  local lo, hi = 1, #t.slices + 1
  while lo < hi do -- the first that begins after `time`
    local mid = (lo + hi) // 2
    if t.slices[mid].at <= time then lo = mid + 1 else hi = mid end
  end
  for i = lo - 1, 1, -1 do
    local s = t.slices[i]
    if s.stop >= time and (not begins or s.at == time) then return s end
    if begins and s.at < time then return nil end
  end
end
for id, e in pairs(ends) do
  local s = assert(starts[id], "an arrow without beginning")
  assert(s.at <= e.at, "an arrow back in time")
  assert(slice_at(track(e), e.at, true), "an arrow that ends nowhere: " .. where(e))
end

-- ---- the condition ----
local env = {
  procs = procs,
  arrows = function()
    local n = 0
    for _ in pairs(ends) do n = n + 1 end
    return n
  end,
  count = function(name) return total[name] or 0 end,
  marks = function(name)
    local n = 0
    for _, t in pairs(tracks) do
      for _, list in ipairs {t.marks, t.slices} do
        for _, e in ipairs(list) do if t.pid ~= "2" and e.name == name then n = n + 1 end end
      end
    end
    return n
  end,
  made = function(pattern)
    local n = 0
    for key, name in pairs(names) do if key:find("^2/") and name:find(pattern) then n = n + 1 end end
    return n
  end,
  ended = function(n) return tracks["2/" .. n].last end,
  at = function(name)
    local list = {}
    for p in pairs(places[name] or {}) do list[#list + 1] = p end
    table.sort(list)
    return table.concat(list, " ")
  end,
  creator = function(n)
    for _, m in ipairs(tracks["2/" .. n].marks) do if m.name == "go" then return m.args["created by"] end end
  end,
}
if condition and not assert(load("return " .. condition, "=condition", "t", env))() then
  local list = {}
  for name, n in pairs(total) do list[#list + 1] = name .. "=" .. n end
  table.sort(list)
  error("not true: " .. condition .. "; " .. table.concat(list, ", "), 0)
end
