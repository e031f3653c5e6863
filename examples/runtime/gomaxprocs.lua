-- How many processors run Lua at once; two goroutines print while main sleeps.
-- Expect: GOMAXPROCS: N; each of 0 to 4 twice; Finished
local function print_numbers()
  for i = 0, 4 do
    time.sleep(0.05)
    io.write(i, " ")
  end
end

print("GOMAXPROCS: " .. runtime.gomaxprocs(0))
go print_numbers()
go print_numbers()
time.sleep(0.6)
print("\nFinished")
