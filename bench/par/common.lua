-- Runs `work` twice and prints seconds: in two goroutines; with arg[1] == "seq" one after the other, in processor time, as
-- lua5.4 (without goroutines) always does; with "once" or "twice" so many times without goroutines, by the clock.
return function(work)
  local how = go and arg[1] or go and "go" or "seq"
  local clock = how == "seq" and os.clock or time.monotonic
  local t0 = clock()
  local a, b
  if how == "go" then
    local done = chan(2)
    go(function() done:send(work(1)) end)
    go(function() done:send(work(2)) end)
    a, b = done:recv(), done:recv()
  else
    a = work(1)
    b = how == "once" and a or work(2)
  end
  assert(a == b, "the two results differ")
  print(string.format("%.4f", clock() - t0))
end
