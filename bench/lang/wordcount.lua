-- Counting words: fresh strings as table keys.
local words = {}
for i = 1, 2000 do words[i] = string.char(97 + i % 26, 97 + (i // 26) % 26, 97 + (i * 7) % 26) .. i % 97 end
local text = {}
for i = 1, 1200000 do text[i] = words[(i * 7919) % 2000 + 1] end
text = table.concat(text, " ")
local counts, distinct, total = {}, 0, 0
for w in text:gmatch("%S+") do
  local c = counts[w]
  if not c then distinct = distinct + 1 end
  counts[w] = (c or 0) + 1
end
for _, c in pairs(counts) do total = total + c end
assert(total == 1200000 and distinct > 500)
local keys = {}
for k in pairs(counts) do keys[#keys + 1] = k end
table.sort(keys, function(x, y) if counts[x] ~= counts[y] then return counts[x] > counts[y] end return x < y end)
assert(#keys == distinct)
