-- Runs `work` twice: in two goroutines, or one after the other in one (arg[1] == "seq"); prints seconds.
-- lua5.4 (without goroutines) always runs it in sequence.
return function(work)
  local clock = go and arg[1] ~= "seq" and time.monotonic or os.clock
  local t0 = clock()
  local a, b
  if go and arg[1] ~= "seq" then
    local done = chan(2)
    go(function() done:send(work(1)) end)
    go(function() done:send(work(2)) end)
    a, b = done:recv(), done:recv()
  else
    a, b = work(1), work(2)
  end
  assert(a == b, "the two results differ")
  print(string.format("%.4f", clock() - t0))
end
