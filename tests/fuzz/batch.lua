-- batch.lua: runs random programs, many in one process, under whichever Lua runs it. diff.lua compares what it prints.
--   batch.lua run FIRST LAST      one line for each seed: the seed and a hash of the program's output
--   batch.lua text SEED           prints the program
--   batch.lua file NAME           runs the program in that file: its whole output
--
-- Seeds decide the kind: of twenty, four are whole programs (programs.lua), two are broken programs of which only the message of
-- load is looked at, eleven are probes of single features (probes.lua), and three look at the stack (frames.lua). Each program gets globals and library tables of
-- its own, where `print` goes to the output that is compared.
local dir = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = dir .. "/?.lua"
local new_rng, program, probes, frames = require "rng", require "programs", require "probes", require "frames"

local function broken(rng) -- a program with some tokens changed
  local text = program(rng):gsub("%-%-[^\n]*", "")
  local parts, i = {}, 1
  while i <= #text do
    local _, e = text:find("^%s*[%w_]+", i)
    if not e then _, e = text:find("^%s*[^%w_]", i) end
    if not e then break end
    parts[#parts + 1] = text:sub(i, e)
    i = e + 1
  end
  for _ = 1, rng.rnd(3) do
    local at = rng.rnd(#parts)
    local how = rng.rnd(4)
    if how == 1 then parts[at] = " "
    elseif how == 2 then parts[at] = parts[at] .. " " .. parts[rng.rnd(#parts)]
    elseif how == 3 then parts[at] = parts[rng.rnd(#parts)]
    else parts[at] = " " .. rng.pick {"end", "(", ")", "'", "[[", "=", "local", "<close>", "goto q", "::q::", "break", "...", "0x", "1e", "\\", "~", "then", "function", "return", "::", "<const>", "'\\q'", "'\\u{110000000}'", "until"} .. " " end
  end
  text = table.concat(parts):gsub("<%-", "< -") -- plain Lua only
  return "-- load only\n" .. text
end

local function text_of(seed)
  local rng = new_rng(seed)
  local kind = rng.rnd(20)
  if kind <= 4 then return program(rng) end
  if kind <= 6 then return broken(rng) end
  if kind <= 9 then return frames(rng) end
  return probes(rng)
end

local function copy(t)
  local c = {}
  for k, v in next, t do c[k] = v end
  return c
end

-- Error messages and results contain addresses.
local function mask(s) return (s:gsub("0x%x%x%x%x%x%x+", "ADDR")) end

local function run(text)
  local out, env = {}, copy(_G)
  for _, name in ipairs {"string", "table", "math", "utf8", "coroutine"} do env[name] = copy(_G[name]) end
  env._G = env
  env.print = function(...)
    local a = table.pack(...)
    for i = 1, a.n do a[i] = tostring(a[i]) end
    out[#out + 1] = table.concat(a, "\t")
  end
  local f, m = load(text, "=p", "t", env)
  if not f then
    out[#out + 1] = m:find("registers", 1, true) and "too complex" or m
  elseif text:sub(1, 12) == "-- load only" then
    out[#out + 1] = "accepted"
  else
    local ok, e = pcall(f)
    if not ok then out[#out + 1] = "error: " .. tostring(e) end
  end
  getmetatable("").__index = string
  return mask(table.concat(out, "\n"))
end

local function hash(s)
  local h, unpack = #s, string.unpack
  s = s .. ("\0"):rep(-#s % 8)
  for i = 1, #s, 8 do h = (h ~ unpack("<i8", s, i)) * 0x9E3779B97F4A7C15 h = h ~ (h >> 29) end
  return h
end

local what, a, b = ...
if what == "run" then
  for seed = tonumber(a), tonumber(b) do
    io.write(("%d %x\n"):format(seed, hash(run(text_of(seed)))))
    io.flush()
  end
elseif what == "text" then
  io.write(text_of(tonumber(a)))
else
  local f = assert(io.open(a, "rb"))
  io.write(run(f:read("a")), "\n")
end
