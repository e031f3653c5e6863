-- conc_model.lua [ROUNDS [SEED]]: tiny random concurrent programs whose outcome must be one that Go's semantics allow.
--
-- What:  a program is two to four goroutines with a few operations each on shared objects: channels, select, mutex,
--        rwmutex, wait group, condition, semaphore, sleeps and timeouts. `model` finds all outcomes by trying every
--        interleaving on plain Lua tables; then lungo runs the program several times. An outcome is what each operation
--        of each goroutine answered (values, errors) and which goroutines are blocked for ever.
-- Each round is 25 programs. A failure prints the program, what came out and what may come out; the seed repeats it.
-- Needs nothing of the environment; LUNGOMAXPROCS and LUNGODEBUG=schedyield=N change the schedules.
local rounds, seed = tonumber(arg[1]) or 4, tonumber(arg[2]) or os.time()
math.randomseed(seed)
local rnd = math.random
local RUNS = tonumber(os.getenv("CONC_RUNS")) or 6

-- ---- programs ----------------------------------------------------------------------------------------------
-- An operation is {k = kind, ...}; o: which channel, v: value, n: amount, cases: of a select.

local function case_of(chans, value)
  local c = {o = rnd(chans)}
  if rnd(2) == 1 then c.v = value end
  return c
end

local kinds = {}
function kinds.chan(p, id)
  local r = rnd(20)
  local o, v = rnd(#p.caps), id
  if r <= 5 then return {k = "send", o = o, v = v}
  elseif r <= 10 then return {k = "recv", o = o}
  elseif r <= 11 then return {k = "trysend", o = o, v = v}
  elseif r <= 12 then return {k = "tryrecv", o = o}
  elseif r <= 14 then return {k = "close", o = o}
  else
    local k = r <= 17 and "select" or r <= 19 and "selectelse" or "timeout"
    return {k = k, cases = {case_of(#p.caps, v), case_of(#p.caps, v + 1)}, form = rnd(2)}
  end
end
function kinds.mutex() return {k = ({"lock", "unlock", "lock", "unlock", "trylock"})[rnd(5)]} end
function kinds.rw()
  return {k = ({"rlock", "runlock", "wlock", "wunlock", "rlock", "runlock", "tryrlock", "trywlock"})[rnd(8)]}
end
function kinds.wg() return {k = ({"add", "done", "done", "wait"})[rnd(4)]} end
function kinds.cond() return {k = ({"lock", "unlock", "cwait", "cwait", "signal", "broadcast"})[rnd(6)]} end
function kinds.sem()
  local k = ({"acquire", "acquire", "release", "tryacquire"})[rnd(4)]
  return {k = k, n = rnd(2)}
end
function kinds.sleep() return {k = "sleep"} end
local families = {"chan", "chan", "chan", "mutex", "rw", "wg", "cond", "sem"}

local function make_program()
  local p = {caps = {rnd(3) - 1, rnd(2) - 1}}
  local fam = {families[rnd(#families)], families[rnd(#families)], rnd(6) == 1 and "sleep" or "chan"}
  local budget = rnd(4, 9)
  local n = rnd(2, 3) + (rnd(8) == 1 and 1 or 0)
  for g = 1, n do p[g] = {} end
  for i = 1, budget do
    local g = p[rnd(n)]
    if #g < 4 then g[#g + 1] = kinds[fam[rnd(#fam)]](p, i * 10) end
  end
  return p
end

local function show(p)
  local out = {("capacities %d, %d; semaphore 2"):format(p.caps[1], p.caps[2])}
  for g, ops in ipairs(p) do
    local t = {}
    for i, op in ipairs(ops) do
      local s = op.k
      if op.o then s = s .. " c" .. op.o end
      if op.v then s = s .. " " .. op.v end
      if op.n then s = s .. " " .. op.n end
      for _, c in ipairs(op.cases or {}) do s = s .. (c.v and (" c%d<-%d"):format(c.o, c.v) or " <-c" .. c.o) end
      t[i] = s
    end
    out[#out + 1] = g .. ": " .. table.concat(t, "; ")
  end
  return table.concat(out, "\n")
end

-- ---- the model ---------------------------------------------------------------------------------------------------
-- A state: pc and answers (a string) of each goroutine; wait[g] = ticket while g is in queues, in the order of coming;
-- phase[g]: g was notified and wants the mutex again. The rest are the objects.

local function copy(s)
  local t = {}
  for k, v in pairs(s) do t[k] = type(v) == "table" and copy(v) or v end
  return t
end

local function key(s, n)
  local t, order = {}, {}
  for g = 1, n do if s.wait[g] then order[#order + 1] = g end end
  table.sort(order, function(a, b) return s.wait[a] < s.wait[b] end)
  for g = 1, n do t[#t + 1] = s.pc[g] .. s.ans[g] .. (s.phase[g] and "+" or "") end
  t[#t + 1] = table.concat(order, ",")
  for c = 1, 2 do t[#t + 1] = table.concat(s.buf[c], ",") .. (s.closed[c] and "x" or "") end
  t[#t + 1] = ("%s %d %s %d %d"):format(s.mu, s.readers, s.writer, s.wg, s.used)
  return table.concat(t, "|")
end

local function answer(s, g, text)
  s.ans[g] = s.ans[g] .. " " .. text
  s.pc[g] = s.pc[g] + 1
  s.wait[g] = nil
end

-- Where a step can go on in n ways, `choose(n)` names the one to try this time, and `each_way` repeats the step on a fresh copy
-- of s until all have been tried (the ways of one step form a tree; `path` is the branch taken: chosen, of how many).
local path, depth = {}, 0

local function choose(n)
  if n == 1 then return 1 end
  depth = depth + 1
  path[depth] = path[depth] or {1, n}
  return path[depth][1]
end

local function each_way(s, one)
  path = {}
  repeat
    depth = 0
    one(copy(s))
    while path[1] and path[#path][1] == path[#path][2] do path[#path] = nil end
    if path[1] then path[#path][1] = path[#path][1] + 1 end
  until not path[1]
end

-- The first that waits and for whom `wants(op, g)` gives something.
local function first_waiter(p, s, wants)
  local best, got
  for g = 1, #p do
    if s.wait[g] and (not best or s.wait[g] < s.wait[best]) then
      local r = wants(p[g][s.pc[g]], g)
      if r then best, got = g, r end
    end
  end
  return best, got
end

-- A goroutine comes to its turn in the order in which it began to wait; which of several cases of its select on that channel is
-- taken is random, as among cases that are ready.
local function first_on_chan(p, s, c, sending)
  local w, fits = first_waiter(p, s, function(op)
    if op.k == (sending and "send" or "recv") and op.o == c then return {op} end
    local t = {}
    for i, case in ipairs(op.cases or {}) do
      if case.o == c and (case.v ~= nil) == sending then t[#t + 1] = {i = i, v = case.v} end
    end
    return t[1] and t
  end)
  return w, w and fits[choose(#fits)]
end

-- One case tried: returns nil if it blocks, or its answer. s is changed.
local function try_send(p, s, c, v)
  if s.closed[c] then return "E:send on closed channel" end
  local w, how = first_on_chan(p, s, c, false)
  if w then
    answer(s, w, how.i and ("%d:%d"):format(how.i, v) or tostring(v))
  elseif #s.buf[c] < p.caps[c] then
    table.insert(s.buf[c], v)
  else
    return nil
  end
  return "sent"
end

local function try_recv(p, s, c)
  local v = table.remove(s.buf[c], 1)
  local w, how = first_on_chan(p, s, c, true) -- if one waits to send, the channel was full
  if w then
    if v then table.insert(s.buf[c], how.v) end
    v = v or how.v
    answer(s, w, how.i and how.i .. ":sent" or "sent")
  end
  if v then return tostring(v) end
  return s.closed[c] and "closed" or nil
end

local function try_case(p, s, case)
  if case.v then return try_send(p, s, case.o, case.v) end
  return try_recv(p, s, case.o)
end

local function do_close(p, s, c)
  if s.closed[c] then return "E:close of closed channel" end
  s.closed[c] = true
  while true do
    local w, how = first_on_chan(p, s, c, false)
    if not w then break end
    answer(s, w, how.i and how.i .. ":closed" or "closed")
  end
  while true do
    local w = first_on_chan(p, s, c, true)
    if not w then break end
    answer(s, w, "E:send on closed channel")
  end
  return "ok"
end

local function is(k) return function(op) return op.k == k end end

local function admit_rw(p, s, readers_first)
  if s.readers > 0 or s.writer then return end
  if readers_first or not first_waiter(p, s, is "wlock") then
    while true do
      local w = first_waiter(p, s, is "rlock")
      if not w then break end
      s.readers = s.readers + 1
      answer(s, w, "ok")
    end
  end
  local w = s.readers == 0 and first_waiter(p, s, is "wlock")
  if w then
    s.writer = true
    answer(s, w, "ok")
  end
end

local function admit_sem(p, s)
  while true do
    local w, op = first_waiter(p, s, function(op) return op.k == "acquire" and op end)
    if not w or s.used + op.n > 2 then return end
    s.used = s.used + op.n
    answer(s, w, "ok")
  end
end

local BLOCK = {} -- joins the queue

-- Each returns the answer, nil (cannot go on now, and is in no queue) or BLOCK.
local step = {}
function step.send(p, s, _, op) return try_send(p, s, op.o, op.v) or BLOCK end
function step.recv(p, s, _, op) return try_recv(p, s, op.o) or BLOCK end
function step.trysend(p, s, _, op)
  local r = try_send(p, s, op.o, op.v)
  return r == "sent" and "true" or r or "false"
end
function step.tryrecv(p, s, _, op) return try_recv(p, s, op.o) or "no" end
function step.close(p, s, _, op) return do_close(p, s, op.o) end
function step.sleep() return "ok" end
function step.lock(_, s)
  if s.mu then return nil end
  s.mu = true
  return "ok"
end
function step.trylock(_, s)
  if s.mu then return "false" end
  s.mu = true
  return "true"
end
function step.unlock(_, s)
  if not s.mu then return "E:unlock of unlocked mutex" end
  s.mu = false
  return "ok"
end
local function rw_free(p, s, op) -- may a newcomer enter?
  if s.writer or first_waiter(p, s, is "rlock") or first_waiter(p, s, is "wlock") then return false end
  return op == "r" or s.readers == 0
end
function step.rlock(p, s)
  if not rw_free(p, s, "r") then return BLOCK end
  s.readers = s.readers + 1
  return "ok"
end
function step.wlock(p, s)
  if not rw_free(p, s, "w") then return BLOCK end
  s.writer = true
  return "ok"
end
function step.tryrlock(p, s)
  if not rw_free(p, s, "r") then return "false" end
  s.readers = s.readers + 1
  return "true"
end
function step.trywlock(p, s)
  if not rw_free(p, s, "w") then return "false" end
  s.writer = true
  return "true"
end
function step.runlock(p, s)
  if s.readers == 0 then return "E:unlock of unlocked rwmutex" end
  s.readers = s.readers - 1
  admit_rw(p, s, false)
  return "ok"
end
function step.wunlock(p, s)
  if not s.writer then return "E:unlock of unlocked rwmutex" end
  s.writer = false
  admit_rw(p, s, true)
  return "ok"
end
function step.add(_, s)
  s.wg = s.wg + 1
  return "ok"
end
function step.done(p, s)
  if s.wg == 0 then return "E:negative WaitGroup counter" end
  s.wg = s.wg - 1
  while s.wg == 0 do
    local w = first_waiter(p, s, is "wait")
    if not w then break end
    answer(s, w, "ok")
  end
  return "ok"
end
function step.wait(_, s) return s.wg == 0 and "ok" or BLOCK end
function step.cwait(_, s, g)
  if s.phase[g] then
    if s.mu then return nil end
    s.mu = true
    s.phase[g] = nil
    return "ok"
  end
  if not s.mu then return "E:unlock of unlocked mutex" end
  s.mu = false
  return BLOCK
end
local function notify(p, s)
  local w = first_waiter(p, s, is "cwait")
  if w then
    s.wait[w] = nil
    s.phase[w] = true
  end
  return w
end
function step.signal(p, s)
  notify(p, s)
  return "ok"
end
function step.broadcast(p, s)
  while notify(p, s) do end
  return "ok"
end
function step.acquire(p, s, _, op)
  if first_waiter(p, s, is "acquire") or s.used + op.n > 2 then return BLOCK end
  s.used = s.used + op.n
  return "ok"
end
function step.tryacquire(p, s, _, op)
  if first_waiter(p, s, is "acquire") or s.used + op.n > 2 then return "false" end
  s.used = s.used + op.n
  return "true"
end
function step.release(p, s, _, op)
  if op.n > s.used then return "E:release of more than was acquired" end
  s.used = s.used - op.n
  admit_sem(p, s)
  return "ok"
end

local function block(s, g)
  s.ticket = s.ticket + 1
  s.wait[g] = s.ticket
end

-- All states that one step of g leads to.
local function successors(p, s, g, out)
  local op = p[g][s.pc[g]]
  if not op then return end
  if s.wait[g] then
    if op.k == "timeout" then
      local t = copy(s)
      answer(t, g, "timeout")
      out[#out + 1] = t
    end
    return
  end
  if not op.cases then
    each_way(s, function(t)
      local r = step[op.k](p, t, g, op)
      if r == nil then return end
      if r == BLOCK then block(t, g) else answer(t, g, r) end
      out[#out + 1] = t
    end)
    return
  end
  local ready = false
  for i, case in ipairs(op.cases) do
    each_way(s, function(t)
      local r = try_case(p, t, case)
      if not r then return end
      ready = true
      answer(t, g, r:sub(1, 2) == "E:" and r or i .. ":" .. r)
      out[#out + 1] = t
    end)
  end
  if op.k == "timeout" then
    local t = copy(s)
    answer(t, g, "timeout") -- it may have been ready at once
    out[#out + 1] = t
  end
  if ready then return end
  local t = copy(s)
  if op.k == "selectelse" then answer(t, g, "else") else block(t, g) end
  out[#out + 1] = t
end

local LIMIT = 6000

-- The set of outcomes, or nil if there are too many states.
local function model(p)
  local s = {pc = {}, ans = {}, wait = {}, phase = {}, buf = {{}, {}}, closed = {}, mu = false, readers = 0,
    writer = false, wg = 0, used = 0, ticket = 0}
  for g = 1, #p do s.pc[g], s.ans[g] = 1, "" end
  local seen, outcomes, stack, states = {[key(s, #p)] = true}, {}, {s}, 0
  while #stack > 0 do
    s = table.remove(stack)
    states = states + 1
    if states > LIMIT then return nil end
    local out = {}
    for g = 1, #p do successors(p, s, g, out) end
    for _, t in ipairs(out) do
      local k = key(t, #p)
      if not seen[k] then seen[k] = true; stack[#stack + 1] = t end
    end
    if #out == 0 then
      local r = {}
      for g = 1, #p do r[g] = s.ans[g] .. (p[g][s.pc[g]] and " !" or "") end
      outcomes[table.concat(r, " |")] = true
    end
  end
  return outcomes, states
end

-- ---- the same for real --------------------------------------------------------------------------------------------

local function said(ok, text) return ok and text or "E:" .. tostring(text):gsub("^[^:]+:%d+: ", "") end

local function case_answer(i, case, v, ok)
  if case.v then return i .. ":sent" end
  return i .. ":" .. (ok and tostring(v) or "closed")
end

-- Syntax and function form alike.
local function select_op(w, op, timeout)
  local a, b = op.cases[1], op.cases[2]
  local ca, cb = w.c[a.o], w.c[b.o]
  local v, ok, i
  if op.form == 1 and not timeout then
    local cases = {a.v and {send = ca, value = a.v} or {recv = ca}, b.v and {send = cb, value = b.v} or {recv = cb}}
    cases.default = op.k == "selectelse" or nil
    i, v, ok = select(cases)
  elseif a.v and b.v then
    select
    case ca <- a.v then i = 1
    case cb <- b.v then i = 2
    case <-timeout then i = 3
    end
  elseif a.v then
    select
    case ca <- a.v then i = 1
    case x, y = <-cb then i, v, ok = 2, x, y
    case <-timeout then i = 3
    end
  elseif b.v then
    select
    case x, y = <-ca then i, v, ok = 1, x, y
    case cb <- b.v then i = 2
    case <-timeout then i = 3
    end
  else
    select
    case x, y = <-ca then i, v, ok = 1, x, y
    case x, y = <-cb then i, v, ok = 2, x, y
    case <-timeout then i = 3
    end
  end
  if i == 0 then return "else" elseif i == 3 then return "timeout" end
  return case_answer(i, op.cases[i], v, ok)
end

local act = {}
function act.send(w, op) w.c[op.o] <- op.v return "sent" end
function act.recv(w, op)
  local v, ok = <-w.c[op.o]
  return ok and tostring(v) or "closed"
end
function act.trysend(w, op) return tostring(w.c[op.o]:trysend(op.v)) end
function act.tryrecv(w, op)
  local v, ok, ready = w.c[op.o]:tryrecv()
  return not ready and "no" or ok and tostring(v) or "closed"
end
function act.close(w, op) w.c[op.o]:close() return "ok" end
function act.sleep() time.sleep(0.0001) return "ok" end
act.select = select_op
function act.selectelse(w, op)
  op = {k = op.k, cases = op.cases, form = 1}
  return select_op(w, op)
end
function act.timeout(w, op) return select_op(w, op, time.after(0.0001)) end
function act.lock(w) w.mu:lock() return "ok" end
function act.unlock(w) w.mu:unlock() return "ok" end
function act.trylock(w) return tostring(w.mu:trylock()) end
function act.rlock(w) w.rw:rlock() return "ok" end
function act.runlock(w) w.rw:runlock() return "ok" end
function act.wlock(w) w.rw:lock() return "ok" end
function act.wunlock(w) w.rw:unlock() return "ok" end
function act.tryrlock(w) return tostring(w.rw:tryrlock()) end
function act.trywlock(w) return tostring(w.rw:trylock()) end
function act.add(w) w.wg:add() return "ok" end
function act.done(w) w.wg:done() return "ok" end
function act.wait(w) w.wg:wait() return "ok" end
function act.cwait(w) w.cond:wait() return "ok" end
function act.signal(w) w.cond:signal() return "ok" end
function act.broadcast(w) w.cond:broadcast() return "ok" end
function act.acquire(w, op) w.sem:acquire(op.n) return "ok" end
function act.tryacquire(w, op) return tostring(w.sem:tryacquire(op.n)) end
function act.release(w, op)
  local ok, e = pcall(w.sem.release, w.sem, op.n)
  return ok and "ok" or "E:release of more than was acquired"
end

local function body(w, ops, mine)
  mine.id = runtime.goid()
  for i, op in ipairs(ops) do
    mine.timed = op.k == "timeout" or op.k == "sleep"
    local text = said(pcall(act[op.k], w, op))
    if w.over then break end
    mine.ans = mine.ans .. " " .. text
    mine.at = i
  end
  mine.timed = false
  w.ended:add(1)
end

-- Whether all goroutines of w that did not end wait for each other: seen in a dump, which stops the world, and none of
-- them has a clock that will wake it.
local function stuck(w, p)
  local left = {}
  for g = 1, #p do
    local m = w.g[g]
    if not m.id or m.timed then return false end
    left[m.id] = true
  end
  for id, state in runtime.stack(true):gmatch("goroutine (%d+) %[([^%],]+)") do
    if left[tonumber(id)] and not (state:find("^chan") or state:find("^sync") or state:find("^select")) then return false end
  end
  for g = 1, #p do if w.g[g].timed then return false end end
  return true
end

-- Lets go those that wait, whatever for.
local function release(w, n)
  w.over = true
  while w.ended:load() < n do
    for c = 1, 2 do pcall(w.c[c].close, w.c[c]) end
    w.cond:broadcast()
    pcall(w.mu.unlock, w.mu)
    pcall(w.rw.unlock, w.rw)
    pcall(w.rw.runlock, w.rw)
    pcall(w.wg.done, w.wg)
    for k = 1, 2 do pcall(w.sem.release, w.sem, 1) end
    runtime.gosched()
  end
end

local function run(p)
  local mu = sync.mutex()
  local w = {c = {chan(p.caps[1]), chan(p.caps[2])}, mu = mu, rw = sync.rwmutex(), wg = sync.waitgroup(),
    cond = sync.cond(mu), sem = sync.semaphore(2), ended = atomic.int(0), over = false, g = {}}
  for g = 1, #p do w.g[g] = {ans = "", at = 0, timed = false, id = false} end
  for g = 1, #p do go(body, w, p[g], w.g[g]) end
  local looks, began = 0, time.monotonic()
  while w.ended:load() < #p do
    looks = looks + 1
    if looks > 8 and stuck(w, p) then break end
    if time.monotonic() - began > 30 then
      io.stderr:write(runtime.stack(true), "\n")
      error("neither ended nor stuck:\n" .. show(p), 0)
    end
    if looks > 30 then time.sleep(0.0002) else runtime.gosched() end
  end
  local r = {}
  for g = 1, #p do r[g] = w.g[g].ans .. (w.g[g].at < #p[g] and " !" or "") end
  release(w, #p)
  return table.concat(r, " |")
end

-- ---- comparing --------------------------------------------------------------------------------------------------------

local programs, runs, possible, met, skipped, deadlocks, states = 0, 0, 0, 0, 0, 0, 0

local function keys(t)
  local l = {}
  for k in pairs(t) do l[#l + 1] = "  " .. k end
  table.sort(l)
  return table.concat(l, "\n")
end

local function check()
  local p = make_program()
  local outcomes, n = model(p)
  if not outcomes then skipped = skipped + 1 return end
  programs, states = programs + 1, states + n
  local seen = {}
  for _ = 1, RUNS do
    local o = run(p)
    runs = runs + 1
    if not outcomes[o] then
      error(("impossible outcome\n%s\ngot:\n  %s\nallowed:\n%s"):format(show(p), o, keys(outcomes)), 0)
    end
    if o:find("!", 1, true) then deadlocks = deadlocks + 1 end
    seen[o] = true
  end
  for _ in pairs(outcomes) do possible = possible + 1 end
  for _ in pairs(seen) do met = met + 1 end
end

for r = 1, rounds do
  local ok, e = pcall(function() for _ = 1, 25 do check() end end)
  if not ok then error(("round %d of `conc_model.lua %d %d`: %s"):format(r, rounds, seed, e), 0) end
end
if os.getenv("CONC_STATS") then
  print(("%d programs, %d runs (%d ended blocked), %d of %d outcomes met, %d model states, %d too big"):format(
    programs, runs, deadlocks, met, possible, states, skipped))
end
-- A single outcome everywhere would mean that nothing is tested.
assert(programs < 100 or (met > programs and deadlocks > 0 and deadlocks < runs))
