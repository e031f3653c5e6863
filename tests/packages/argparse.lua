-- Debian: lua-argparse. Options, commands, usage and errors.
local argparse = require "argparse"
return { version = argparse.version, use = function(id)
  local p = argparse("tool", "An example.")
  p:argument "input"
  p:option("-o --output", "Output file.", "a.out")
  p:option("-I --include"):count "*"
  p:flag("-v --verbose"):count "0-2":target "verbosity"
  local a = p:parse { "foo", "-Isrc", "-I", "lib", "-vv" }
  local ok, e = p:pparse { "--none" }
  return table.concat({ a.input, a.output, #a.include, a.verbosity, tostring(ok), e, p:get_help() }, " ")
end }
