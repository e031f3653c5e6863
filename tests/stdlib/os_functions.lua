-- os: date, time, getenv, clock, tmpname, setlocale, difftime.
assert(os.time {year = 2000, month = 1, day = 1, hour = 12} - os.time {year = 2000, month = 1, day = 1, hour = 11} == 3600)
local t = os.date("*t", os.time {year = 2024, month = 2, day = 29, hour = 10, min = 11, sec = 12})
assert(t.year == 2024 and t.month == 2 and t.day == 29 and t.hour == 10 and t.min == 11 and t.sec == 12 and t.yday == 60 and t.wday == 5)
local n = {year = 2023, month = 14, day = -3}
os.time(n)
assert(n.year == 2024 and n.month == 1 and n.day == 28)
assert(os.date("!%Y-%m-%d %H:%M:%S", 0) == "1970-01-01 00:00:00" and os.date("!*t", 86399).hour == 23)
assert(not pcall(os.date, "%Ez") and not pcall(os.time, {}) and os.getenv("NO_SUCH_VARIABLE_") == nil and os.getenv("PATH"))
assert(os.clock() >= 0 and os.difftime(5, 3) == 2.0 and math.type(os.time()) == "integer")
assert(os.setlocale(nil) and os.setlocale("C") == "C" and os.setlocale("nonsense") == nil)
local name = os.tmpname()
assert(io.open(name)):close()
assert(os.remove(name) and not os.remove(name))
