-- Debian: lua-dbi-sqlite3. Prepared statements with parameters, rows as iterators.
local DBI = require "DBI"
return { version = DBI._VERSION, use = function(id)
  local db = assert(DBI.Connect("SQLite3", ":memory:"))
  db:autocommit(true)
  assert(db:prepare "create table t (k integer, v real)"):execute()
  local insert = assert(db:prepare "insert into t values (?, ?)")
  for i = 1, 20 do assert(insert:execute(i, i / 2)) end
  insert:close()
  local q = assert(db:prepare "select k, v from t where v > ? order by k")
  assert(q:execute(8))
  local out = {}
  for row in q:rows(true) do out[#out + 1] = row.k .. ":" .. row.v end
  q:close()
  local none, e = db:prepare "select * from nothing"
  assert(none == nil)
  db:close()
  return table.concat(out, " ") .. " " .. e
end }
