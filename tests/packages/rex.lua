-- Debian: lua-rex-pcre2, lua-rex-posix. Matching, iterating, substitution with a function, bad patterns.
local pcre, posix = require "rex_pcre2", require "rex_posix"
return { version = pcre._VERSION, use = function(id)
  local out = {}
  for _, rex in ipairs { pcre, posix } do
    local words = {}
    for w in rex.gmatch("one two three", "[a-z]+") do words[#words + 1] = w end
    out[#out + 1] = table.concat(words, ",")
    out[#out + 1] = rex.gsub("price 10 and 20", "[0-9]+", function(n) return n * 2 // 1 end)
    out[#out + 1] = rex.new "([a-z]+)@([a-z]+)":match "mail me@here"
    assert(not pcall(rex.new, "(unclosed"))
    local ok, e = pcall(rex.gsub, "x", "x", function() error("callback", 0) end)
    out[#out + 1] = tostring(e)
  end
  return table.concat(out, " ")
end }
