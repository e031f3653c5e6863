-- A for loop receives until the channel is closed.
-- Expect: GFG, gfg, Geeks, GeeksforGeeks
local c = chan("string")
go function()
  c <- "GFG"
  c <- "gfg"
  c <- "Geeks"
  c <- "GeeksforGeeks"
  c:close()
end()

for res in c do print(res) end
