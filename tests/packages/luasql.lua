-- Debian: lua-sql-sqlite3. A database in memory for each user: transactions, cursors, errors.
local driver = require "luasql.sqlite3"
return { version = driver._VERSION, use = function(id)
  local env = driver.sqlite3()
  local con = assert(env:connect ":memory:")
  assert(con:execute "create table t (k integer primary key, v text)")
  con:setautocommit(false)
  for i = 1, 20 do assert(con:execute(("insert into t values (%d, '%s')"):format(i, con:escape("it's " .. i)))) end
  assert(con:commit())
  local cur = assert(con:execute "select k, v from t where k % 5 = 0 order by k desc")
  local rows, row = {}, cur:fetch({}, "a")
  while row do
    rows[#rows + 1] = row.k .. "=" .. row.v
    row = cur:fetch(row, "a")
  end
  local none, e = con:execute "select * from nothing"
  assert(none == nil)
  con:close()
  env:close()
  return table.concat(rows, ",") .. " " .. e
end }
