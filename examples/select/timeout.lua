-- time.after puts a limit on a wait.
-- Expect: timeout 1, then result 2
local c1 = chan("string", 1)
go function()
  time.sleep(0.5)
  c1 <- "result 1"
end()
select
case res = <-c1 then print(res)
case <-time.after(0.1) then print("timeout 1")
end

local c2 = chan("string", 1)
go function()
  time.sleep(0.1)
  c2 <- "result 2"
end()
select
case res = <-c2 then print(res)
case <-time.after(2) then print("timeout 2")
end
