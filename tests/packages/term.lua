-- Debian: lua-term, lua-system. Escape sequences; clocks and environment.
local colors, system = require "term.colors", require "system"
return { version = tostring(system._VERSION), use = function(id)
  assert(system.gettime() > 1e9 and system.monotime() > 0)
  system.sleep(0.001)
  return colors.red "text":gsub("\27", "ESC")
end }
