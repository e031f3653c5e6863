-- The channels and values of a select are evaluated once each, in source order, before anything is chosen; one that
-- raises leaves all channels as they were, and a value for a case that is not chosen is still evaluated.
-- Protects: vm/parse.c, vm/codegen.c (select), runtime/select.c.
local log
local function note(name, v) log[#log + 1] = name return v end
local function run(f) log = {} local ok, e = pcall(f) return table.concat(log, " "), ok or (e:gsub("^[^:]*:%d+: ", "")) end
local a, b, c = chan(1), chan(1), chan(1)
a:send "x"
print(run(function()
  select
  case note("b", b) <- note("vb", 1) then note "sent b"
  case v, ok = <-note("nil", nil) then note "never"
  case note("a2", nil) <- note("va2", 2) then note "never"
  case <-note("c", c) then note "never"
  end
end))                                     -- expect: b vb nil a2 va2 c sent b	true
print(#a, #b, #c)                         -- expect: 1	1	0
for _, bad in ipairs {
  function() select case v = <-a then note "taken" case <-error("chan", 0) then else end end,
  function() select case v = <-a then note "taken" case c <- error("value", 0) then else end end,
  function() select case v = <-a then note "taken" case c <- nil then else end end,
  function() select case v = <-a then note "taken" case <-(42) then else end end,
  function() select case v = <-a then note "taken" case ("s") <- 1 then else end end,
  function() select case v = <-a then note "taken" case <-c:sender() then else end end,
  function() select case v = <-a then note "taken" case c:receiver() <- 1 then else end end,
  function() select {{recv = a}, {send = c}} end,
  function() select {{recv = a}, {recv = 1}} end,
  function() select {{recv = a}, {recv = a, send = c, value = 1}} end,
  function() select {{recv = a}, setmetatable({}, {__index = function() error("field", 0) end})} end,
} do
  local done, e = run(bad)
  assert(done == "" and e ~= true, done)
  assert(#a == 1 and #c == 0, "a case ran although another one was wrong")
end
-- A value may be produced by an operation that itself blocks on other channels, a coroutine, or a pcall.
local slow = chan()
go(function() time.sleep(0.001) slow:send "slow" end)
print(run(function()
  select
  case c <- note("first", <-slow) then
  case <-coroutine.wrap(function() note "co" return nil end)() then
  case <-(select(2, pcall(error, nil))) then
  end
end))                                     -- expect: first co	true
print((<-c))                              -- expect: slow
-- Locals of a case belong to its block; break, goto and return leave it.
local function leave()
  for i = 1, 3 do
    select
    case v = <-a then if i == 1 then goto next end
    else if i == 2 then break end
    end
    error "not left"
    ::next::
  end
  select else return "returned" end
end
print(leave())                            -- expect: returned
