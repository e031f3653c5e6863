-- options: --race
-- expect-status: 66
-- Inside a coroutine the traceback goes on with who resumed it; a timer's goroutine is ordered by its start only.
-- expect-stderr: \(variable 'n'\)
-- expect-stderr: ^	tests/race/racy_coroutine\.lua:10: in function <tests/race/racy_coroutine\.lua:10>$
-- expect-stderr: ^	\[C\]: in function 'coroutine\.resume'$
-- expect-stderr: \(variable 'm'\)
-- expect-stderr: ^Found 2 data races$
local n, m, done = 0, 0, chan()
local function inside() n = n + 1 end
for _ = 1, 2 do
  go(function()
    coroutine.resume(coroutine.create(inside))
    done <- true
  end)
end
for _ = 1, 2 do done:recv() end
time.afterfunc(0.001, function()
  m = 1
  done <- true
end)
m = 2
done:recv()
