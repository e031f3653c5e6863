-- options: --race
-- expect-status: 66
-- The function that made the earlier access is garbage, and so is its goroutine's creator: the report still names them.
-- expect-stderr: ^Previous write at 0x[0-9a-f]+ \(global 'n'\) by goroutine [0-9]+:$
-- expect-stderr: ^	\[string "n = 1"\]:1: in main chunk$
-- expect-stderr: ^	\[string "go\(\.\.\.\)"\]:1: in main chunk$
-- expect-stderr: ^Found 1 data race$
go(function() end)
load("go(...)")(load("n = 1"))
while runtime.numgoroutine() > 1 do runtime.gosched() end
for i = 1, 50 do
  collectgarbage()
  local _ = load("local x = " .. i .. " return x + " .. i)
end
n = 2
