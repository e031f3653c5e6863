-- Random goroutines and channels: what is reported is what a model of reachability says.
-- Protects: runtime/leaks.c.
local seed = tonumber(arg[1]) or os.time()
local rounds = tonumber(arg[2]) or (os.getenv("LUNGODEBUG") or ""):find("gcstress") and 5 or 40
math.randomseed(seed)
local rnd = math.random

local function settle()
  repeat
    runtime.gosched()
    local dump = runtime.stack(true)
    local _, busy = dump:gsub("goroutine %d+ %[run", "")
  until busy == 1
end

-- A graph is numbers only: channel i lies in the buffer of holder[i] (0: none); goroutine g waits on waits[g], a list of
-- channels (how[g] says in which way), and holds holds[g]; roots[i]: a global refers to channel i; asleep[g]: it sleeps.
local function random_graph()
  local graph = {nchan = rnd(1, 30), ngo = rnd(1, 40), holder = {}, waits = {}, how = {}, holds = {}, roots = {}, asleep = {}}
  for i = 1, graph.nchan do
    graph.roots[i] = rnd(12) == 1
    graph.holder[i] = rnd(4) == 1 and rnd(1, graph.nchan) or 0
  end
  local function some(max)
    local t = {}
    for i = 1, rnd(0, max) do t[i] = rnd(1, graph.nchan) end
    return t
  end
  for g = 1, graph.ngo do
    graph.asleep[g] = rnd(25) == 1
    graph.how[g] = rnd(1, 6)
    graph.waits[g] = some(3)
    if graph.how[g] <= 4 then graph.waits[g] = {rnd(1, graph.nchan)} end
    graph.holds[g] = some(2)
  end
  return graph
end

-- Which goroutines can ever be woken: the least fixpoint.
local function model(graph)
  local chans, gos, changed = {}, {}, true
  local function reach(i)
    if chans[i] then return end
    chans[i], changed = true, true
  end
  for i, root in pairs(graph.roots) do if root then reach(i) end end
  while changed do
    changed = false
    for i, h in ipairs(graph.holder) do if chans[h] then reach(i) end end
    for g = 1, graph.ngo do
      local live = graph.asleep[g]
      if not live then
        for _, i in ipairs(graph.waits[g]) do live = live or chans[i] end
      end
      if live then
        gos[g] = true
        for _, i in ipairs(graph.waits[g]) do reach(i) end
        for _, i in ipairs(graph.holds[g]) do reach(i) end
      end
    end
  end
  return gos
end

-- Waiting must not make anybody ready: channels carry no values but what lies in buffers, so all receive, on the empty
-- ones; who waits for a channel whose buffer holds something waits for its lock instead.
local function wait(how, locks, chans, ids, g)
  ids[g] = runtime.goid()
  ids = nil
  if how == 1 then chans[1]:recv()
  elseif how == 2 then coroutine.wrap(function() return <-chans[1] end)()
  elseif how == 3 then locks[1]:lock()
  elseif how == 4 then pcall(function() for v in chans[1]:receiver() do end end)
  elseif how == 5 then
    local cases = {}
    for i, c in ipairs(chans) do cases[i] = {recv = c} end
    select(cases)
  else
    local a, b, c = chans[1], chans[2], chans[3]
    select case <-a then case <-b then case <-c then end
  end
end

roots = {}
local function build(graph, ids)
  -- A channel and what stands for it when its buffer is in use: each refers to the other, so they are reachable together.
  local cell = {}
  for i = 1, graph.nchan do
    local link = {}
    local c, buffer, lock = chan(), chan(graph.nchan), sync.mutex()
    lock:lock()
    cell[i] = {c = c, buffer = buffer, lock = lock}
  end
  -- What refers to channel i refers to cell i; a waiter waits on c or lock only. To tie c to its cell, the cell is in a
  -- table with c as weak key: whoever reaches c reaches the cell.
  for i = 1, graph.nchan do
    cells[cell[i].c] = cell[i]
    cells[cell[i].lock] = cell[i]
  end
  for i, h in ipairs(graph.holder) do if h ~= 0 then cell[h].buffer:send(cell[i]) end end
  for i, root in ipairs(graph.roots) do if root then roots[#roots + 1] = cell[i] end end
  for g = 1, graph.ngo do
    local chans, locks, holds = {}, {}, {}
    for k, i in ipairs(graph.waits[g]) do chans[k], locks[k] = cell[i].c, cell[i].lock end
    for k, i in ipairs(graph.holds[g]) do holds[k] = cell[i] end
    if graph.asleep[g] then
      go(function() ids[g] = runtime.goid() time.sleep(30) return chans, locks, holds end)
    else
      local how = graph.how[g]
      go(function(known) wait(how, locks, chans, known, g) return holds end, ids)
    end
  end
end
cells = setmetatable({}, {__mode = "k"})

local function round()
  local graph = random_graph()
  local ids, name = {}, {}
  build(graph, ids)
  settle()
  for g, id in pairs(ids) do name[id] = g end
  local live, leaked = model(graph), {}
  for _, l in ipairs(runtime.leaks()) do
    if name[l.id] then leaked[name[l.id]] = true end
  end
  for g = 1, graph.ngo do
    if (live[g] or false) == (leaked[g] or false) then
      error(("seed %d: goroutine %d is %s, leaks: %s"):format(seed, g, live[g] and "live" or "dead", leaked[g]))
    end
  end
  roots = {}
end
for _ = 1, rounds do round() end
print("ok")   -- expect: ok
