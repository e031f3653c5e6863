-- driver.lua DIR NAME [ROUNDS]: uses the package of DIR/NAME.lua once and prints its version and the result, which
-- scripts/module-check.sh compares with lua5.4's; then, in lungo, uses it ROUNDS times in each of eight goroutines at
-- once: each result must be the same. A package marked `main` is used in goroutine 1 only, while others make garbage.
-- Status 0: passed; 3: the package is not installed; otherwise: failed.
local dir, name, rounds = arg[1], arg[2], tonumber(arg[3])
local chunk = assert(loadfile(dir .. "/" .. name .. ".lua"))
local ok, pkg = pcall(chunk)
if not ok then
  if tostring(pkg):find("module '[^']*' not found") then
    print("absent")
    os.exit(3)
  end
  error(pkg, 0)
end
local want = pkg.use(0)
print(name, pkg.version)
print(want)
local function use(id)
  local got = pkg.use(id)
  if got ~= want then error(("%s: wanted %s, got %s"):format(name, want, got), 0) end
end
if rounds and sync then
  local wg = sync.waitgroup()
  for g = 1, 8 do
    wg:go(function()
      for i = 1, rounds do
        if pkg.main then string.rep("x", 1000) else use(g * 1000 + i) end
      end
    end)
  end
  if pkg.main then for i = 1, rounds do use(i) end end
  wg:wait()
end
