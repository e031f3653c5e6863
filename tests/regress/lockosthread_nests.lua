-- One unlockosthread took back all calls of lockosthread (runtime/host.c).
local function locked()
  return runtime.stack(true):find("goroutine " .. runtime.goid() .. " %[[^\n]*locked to thread") ~= nil
end
local done = chan()
go function()
  local seen = {}
  for _, f in ipairs { "lockosthread", "lockosthread", "unlockosthread", "unlockosthread", "unlockosthread" } do
    runtime[f]()
    seen[#seen + 1] = tostring(locked())
  end
  done <- table.concat(seen, " ")
end()
print(<-done)   -- expect: true true true false false
