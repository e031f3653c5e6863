// SPDX-License-Identifier: MIT
//
// hostile_scripts.h: scripts that never end, or take what they can get: for embed_hostile_test.c.
//
// What:       each line a script of its own. The first list is for any limits; the second wants room (some hundred
//             megabytes, any number of goroutines) to be at its worst.
static const char *const hostile[] = {
    "while true do end",
    "repeat until false",
    "for i = 1, math.huge do end",
    "::top:: goto top",
    "local function f() return f() end f()",
    "local function f() pcall(f) return f() end f()",
    "while true do pcall(error) end",
    "local function f() while true do pcall(f) end end f()",
    "while true do pcall(function() while true do end end) end",
    "while true do xpcall(function() while true do end end, function() while true do end end) end",
    "while true do coroutine.wrap(function() pcall(function() while true do end end) end)() end",
    "local function f() coroutine.wrap(f)() end while true do pcall(f) end",
    "while true do local ok = pcall(coroutine.close, coroutine.create(print)) end",
    "local t = {} while true do t[#t + 1] = {} end",
    "local t = {} while true do pcall(function() while true do t[#t + 1] = {} end end) end",
    "local s = 'x' while true do pcall(function() s = s .. s end) end",
    "local s = 'x' while true do pcall(string.rep, s, 1 << 40) end",
    "while true do local s = ('x'):rep(1 << 20) end",
    "while true do go(function() while true do end end) end",
    "local function f() go(f) go(f) end f()",
    "while true do pcall(go, function() chan():recv() end) end",
    "local function f() time.afterfunc(0, f) end f() chan():recv()",
    "for i = 1, 100 do time.afterfunc(0.001, function() while true do end end) end chan():recv()",
    "local function f(...) return f(1, ...) end while true do pcall(f) end",
    "local function f() return 1 + f() end while true do pcall(f) end",
    "local t = setmetatable({}, {}) getmetatable(t).__index = t while true do pcall(function() return t.x end) end",
    "local t = setmetatable({}, {__index = function(t, k) return t[k] end}) while true do pcall(function() return t.x "
    "end) end",
    "string.find(('a'):rep(40), ('a-'):rep(40) .. 'b')",
    "pcall(string.find, ('a'):rep(3000), ('.-'):rep(30) .. 'b') while true do pcall(string.find, ('a'):rep(30), "
    "('a-'):rep(30) .. 'b') end",
    "string.match(('a'):rep(100), '(a*)*(a*)*(.-)(.-)(.-)(.-)(.-)(.-)(.-)b')",
    "string.gsub(('a'):rep(100000), '.-.-.-.-b', '')",
    "for _ in string.gmatch(('a'):rep(100000), '.-.-.-.-b') do end",
    "while true do string.gsub(('a'):rep(1000), '.', function() return 'b' end) end",
    "while true do pcall(string.gsub, 'aaaa', '.', function() while true do end end) end",
    "table.sort({3, 2, 1, 5, 4}, function(a, b) while true do end end)",
    "while true do pcall(table.sort, {3, 2, 1, 5, 4}, function(a, b) while true do end end) end",
    "table.move({}, 1, 1 << 60, 2)",
    "pcall(table.concat, setmetatable({}, {__len = function() return 1 << 60 end, __index = function() return '' "
    "end}))",
    "table.unpack(setmetatable({}, {__index = function() while true do end end}), 1, 100)",
    "load(function() return ' ' end)",
    "load(function() while true do end end)",
    "while true do load(('x = 1 '):rep(10000)) end",
    "local x <close> = setmetatable({}, {__close = function() while true do end end}) while true do end",
    "defer(function() while true do end end) local _ <close> = defer(function() while true do end end) error('x')",
    "local function f() local x <close> = setmetatable({}, {__close = f}) end while true do f() end",
    "while true do setmetatable({}, {__gc = function() while true do end end}) end",
    "local function f() setmetatable({}, {__gc = f}) end f() while true do collectgarbage() end",
    "setmetatable({}, {__gc = function() while true do end end}) collectgarbage() while true do end",
    "while true do pcall(setmetatable({}, {__call = function(self) return self() end})) end",
    "local c = chan(1) while true do c:send(1) c:recv() end",
    "local a, b = chan(), chan() go(function() for v in a do b:send(v) end end) while true do a:send(1) b:recv() end",
    "while true do select{default = true} end",
    "while true do time.sleep(0) end",
    "local m = sync.mutex() m:lock() m:lock()",
    "local m = sync.mutex() for i = 1, 50 do go(function() while true do m:lock() pcall(m.unlock, m) end end) end "
    "chan():recv()",
    "chan():recv()",
    "for i = 1, 1000 do go(function() chan():recv() end) end select{}",
    "time.sleep(1000)",
    "table.sort({3, 2, 1}, function() time.sleep(1000) end)",
    "for i = 1, 20 do go(function() string.gsub('abc', '.', function() pcall(time.sleep, 1000) end) end) end select{}",
    "local t = {} for i = 1, 1000 do t[i] = i end while true do for k in pairs(t) do t[k] = nil t[k] = 1 end end",
    "while true do tostring(setmetatable({}, {__tostring = function() while true do end end})) end",
    "print(setmetatable({}, {__tostring = function() while true do end end}))",
    "while true do utf8.char(utf8.codepoint(('x'):rep(1000), 1, -1)) end",
    "while true do math.random() end",
    "while true do string.format('%99d', 1) end",
    "local s = ('x'):rep(1 << 22) while true do s:reverse():upper():find('y', 1, true) end",
    "while true do setmetatable({}, {__gc = function() pcall(function() while true do end end) end}) end",
    "local t = {} for i = 1, 1e5 do t[i] = i % 7 .. '' end while true do table.concat(t) end",
    "local t = {} for i = 1, 1e5 do t[i] = i * 7919 % 100003 end while true do table.sort(t, function(a, b) return a < "
    "b end) table.sort(t, function(a, b) return a > b end) end",
    "local t = {} for i = 1, 3e5 do t[i] = i * 7919 % 300007 end while true do table.sort(t) table.sort(t, math.ult) "
    "end",
    "while true do load('return ' .. ('{'):rep(150) .. ('}'):rep(150)) load(('a=b '):rep(1 << 18)) end",
    "while true do pcall(load, ('('):rep(1 << 20)) load('x = ' .. ('1 + '):rep(1 << 16) .. '1') end",
    "local s = ('x'):rep(1 << 20) while true do string.format(('%s'):rep(20), s, s, s, s, s, s, s, s, s, s, s, s, s, "
    "s, s, "
    "s, s, s, s, s) end",
    "local s = ('a'):rep(1 << 22) while true do s:find(('a'):rep(1 << 20) .. 'b', 1, true) end",
    "local s = ('a'):rep(1 << 22) while true do s:gsub('%a+', '%0') s:gsub('a', 'b') s:gsub('a', {}) end",
    "string.find(('('):rep(1 << 20), ('%b()'):rep(20))",
    "string.pack(('i8'):rep(1 << 20), 1)",
    "while true do pcall(string.pack, ('z'):rep(1 << 16), '') end",
    "local t = table.pack(table.unpack({}, 1, 1e5)) while true do select('#', table.unpack(t, 1, 1e5)) end",
    "local co = {} while true do local function f() pcall(coroutine.yield) while true do end end co[#co + 1] = "
    "coroutine.create(f) pcall(coroutine.resume, co[#co]) pcall(coroutine.close, co[#co]) end",
    "local function chain(n) if n == 0 then while true do end end local f = coroutine.wrap(function() pcall(chain, n - "
    "1) "
    "while true do end end) while true do pcall(f) end end chain(100)",
    "while true do local s = 0 for i, v in ipairs(setmetatable({}, {__index = function(_, i) return i end})) do s = s "
    "+ "
    "v end end",
    "while true do next({}) rawlen({}) end",
    "local a = {} for i = 1, 1 << 20 do a[i] = i end while true do table.move(a, 1, #a, 2) table.insert(a, 1, 1) end",
    "while true do tostring(2 ^ 53):rep(1000):byte(1, -1) end",
    "while true do utf8.len(utf8.char(0x10ffff):rep(1 << 18)) end",
    "sync.once()(function() while true do end end)",
    "local p = sync.pool(function() while true do end end) p:get()",
    "local m = sync.map() m:store(1, 1) m:range(function() while true do end end)",
};

static const char *const hostile_big[] = {
    "while true do go(function() end) end",
    "while true do go(function() while true do end end) end",
    "while true do go(function() chan():recv() end) end",
    "local c = chan() while true do go(function() c:recv() end) end",
    "local c = chan() while true do go(function() select{{recv = c}, {send = chan(), value = 1}} end) end",
    "while true do go(time.sleep, 1000) end",
    "local function f() go(f) go(f) end f() select{}",
    "local function f() go(f) go(f) chan():recv() end f()",
    "local function f() go(f) go(f) while true do end end f()",
    "local function f() while true do go(f) end end f()",
    "while true do go(function() defer(function() end) pcall(function() chan():recv() end) end) end",
    "while true do go(function() local x <close> = setmetatable({}, {__close = function() while true do end end}) "
    "chan():recv() end) end",
    "while true do go(function() local x <close> = setmetatable({}, {__close = function() chan():recv() end}) "
    "chan():recv() end) end",
    "while true do go(function() table.sort({2, 1}, function() chan():recv() end) end) end",
    "while true do go(function() string.gsub('a', 'a', function() chan():recv() end) end) end",
    "while true do go(function() table.sort({2, 1}, function() while true do end end) end) end",
    "while true do go(function() coroutine.wrap(function() chan():recv() end)() end) end",
    "local m = sync.mutex() m:lock() while true do go(function() m:lock() end) end",
    "local m = sync.mutex() while true do go(function() m:lock() while true do end end) end",
    "local wg = sync.waitgroup() wg:add(1) while true do wg:go(function() wg:wait() end) end",
    "while true do time.afterfunc(0.001, function() while true do end end) end",
    "while true do time.after(1000) end",
    "local t = {} while true do t[#t + 1] = time.after(1000) end",
    "while true do local t = time.ticker(0.000001) end",
    "local t = {} while true do t[#t + 1] = time.ticker(0.000001) end",
    "while true do context.withtimeout(context.background(), 0.0001) end",
    "local c = context.background() while true do c = context.withcancel(c) end",
    "local t = {} while true do t[#t + 1] = {} end",
    "local t = {} while true do t[#t + 1] = coroutine.create(print) end",
    "local t = {} while true do t[#t + 1] = coroutine.wrap(function() coroutine.yield() end) t[#t]() end",
    "local t = {} while true do t = {t} end",
    "local s = 'x' while true do s = s .. s end",
    "local t = {} while true do t[#t + 1] = ('x'):rep(100) .. #t end",
    "local t = {} for i = 1, 20 do t[i] = ('x'):rep((1 << 20) + i) end while true do for i = 1, 20 do t[i] = t[i] .. "
    "'x' end end",
    "local t = {} for i = 1, 1 << 22 do t[i] = i end while true do table.insert(t, 1, 1) end",
    "local t = {} for i = 1, 1 << 22 do t[i] = i end while true do table.remove(t, 1) end",
    "local t = {} for i = 1, 1 << 20 do t[i] = 'abcdefghij' end while true do table.concat(t) end",
    "local t = {} for i = 1, 1 << 20 do t[i] = 'abcdefghij' end while true do table.concat(t, (','):rep(100)) end",
    "local t = {} for i = 1, 1 << 20 do t[i] = i end while true do pcall(table.unpack, t) table.pack(table.unpack(t, "
    "1, 9e5)) end",
    "local t = {} for i = 1, 1 << 20 do t[i] = i * 7919 % 1000003 end while true do table.sort(t) table.sort(t, "
    "math.ult) end",
    "local t = {} for i = 1, 1 << 20 do t[i] = i % 2 end while true do table.sort(t) end",
    "local t = {} for i = 1, 1 << 18 do t[i] = ('x'):rep(1000) .. i end while true do table.sort(t) table.sort(t, "
    "function(a, b) return a > b end) end",
    "while true do ('x'):rep(1 << 28) end",
    "while true do ('x'):rep(1 << 24, (','):rep(10)) end",
    "local s = ('x'):rep(1 << 27) while true do s:reverse() end",
    "local s = ('x'):rep(1 << 27) while true do s:upper() end",
    "local s = ('x'):rep(1 << 27) while true do s:sub(2) end",
    "local s = ('x'):rep(1 << 27) while true do local x = s .. 'y' end",
    "local s = ('x'):rep(1 << 27) local t = s .. '' while true do local x = (s .. 'y') == (s .. 'y') end",
    "local s = ('x'):rep(1 << 27) local a, b = s .. 'a', s .. 'b' while true do local x = a < b end",
    "local s = ('x'):rep(1 << 27) local t = {} while true do t[s .. 'z'] = 1 end",
    "local s = ('x'):rep(1 << 27) while true do tonumber(s) end",
    "local s = ('1'):rep(1 << 27) while true do tonumber(s) end",
    "local s = (' '):rep(1 << 27) while true do tonumber(s) math.tointeger(s) end",
    "local s = ('x'):rep(1 << 27) while true do utf8.len(s) end",
    "local s = ('x'):rep(1 << 27) while true do utf8.offset(s, -1, 1 << 26) utf8.offset(s, 1 << 26) end",
    "local s = ('x'):rep(1 << 27) while true do s:byte(-1) pcall(s.byte, s, 1, -1) end",
    "local s = ('x'):rep(1 << 26) while true do string.format('%s%s', s, s) end",
    "local s = ('x\\n'):rep(1 << 25) while true do string.format('%q', s) end",
    "local s = ('x'):rep(1 << 27) while true do s:find('y', 1, true) end",
    "local s = ('x'):rep(1 << 27) while true do s:find('xy', 1, true) end",
    "local s = ('x'):rep(1 << 27) while true do s:find('y') end",
    "local s = ('x'):rep(1 << 27) while true do s:gsub('x', 'yy') end",
    "local s = ('x'):rep(1 << 27) while true do s:gsub('x', '%0') end",
    "local s = ('x'):rep(1 << 27) while true do for w in s:gmatch('x*') do end end",
    "local s = ('x'):rep(1 << 27) while true do s:match('^(.*)(.*)(.*)y') end",
    "local s = ('x'):rep(1 << 27) while true do s:match('((.*))\\1\\1\\1y') end",
    "local s = ('x'):rep(1 << 26) while true do s:match('^(x*)%1y') end",
    "local s = ('x'):rep(1 << 27) while true do s:find('[' .. ('y'):rep(1000) .. ']') end",
    "local p = '[' .. ('y'):rep(1 << 22) .. ']' local s = ('x'):rep(1 << 20) while true do s:find(p) end",
    "local p = ('[' .. ('y'):rep(1 << 24) .. ']'):rep(4) local s = ('x'):rep(1 << 20) while true do s:find(p) end",
    "local s = ('x = 1 '):rep(1 << 22) while true do load(s) end",
    "local s = ('x'):rep(1 << 27) while true do load(s) end",
    "local s = '--' .. ('x'):rep(1 << 27) while true do load(s) end",
    "local s = '\"' .. ('x'):rep(1 << 27) .. '\"' while true do load(s) end",
    "local s = '[[' .. ('x'):rep(1 << 27) .. ']]' while true do load('return ' .. s) end",
    "local s = ('1'):rep(1 << 26) while true do load('return ' .. s) end",
    "local s = 'return ' .. ('a.b'):rep(1, '') .. ('.b'):rep(1 << 22) while true do load(s) end",
    "local s = 'return {' .. ('1,'):rep(1 << 22) .. '}' while true do load(s) end",
    "local s = 'return ' .. ('\"a\" .. '):rep(1 << 20) .. '1' while true do load(s) end",
    "local s = 'local a' .. (' local a'):rep(199) .. (' function f() end'):rep(1 << 18) while true do load(s) end",
    "local s = ('::a:: '):rep(1 << 20) while true do load(s) end",
    "local b = {} for i = 1, 1 << 17 do b[i] = '::a' .. i .. ':: goto a' .. ((i * 7919) % (1 << 17) + 1) end local s = "
    "table.concat(b, ' ') while true do load(s) end",
    "local b = {} for i = 1, 1 << 18 do b[i] = 'x = ' .. i .. '.5' end local s = table.concat(b, ' ') while true do "
    "load(s) end",
    "local b = {} for i = 1, 1 << 16 do b[i] = 'do local a' .. i .. ' = 1 end' end local s = table.concat(b, ' ') "
    "while true do load(s) end",
    "local s = 'if x then' .. (' elseif x then'):rep(1 << 20) .. ' end' while true do load(s) end",
    "local s = ('break '):rep(1 << 20) s = 'while 1 do ' .. ('if x then break end '):rep(1 << 18) .. 'end' while true "
    "do load(s) end",
    "local s = 'f' .. ('()'):rep(1 << 22) while true do load(s) end",
    "local f = load('local x = 1; return function() return x end') local d = string.dump(load(('x = 1 '):rep(1 << "
    "20))) while true do load(d) string.dump(f) end",
    "local f = load(('x = 1 '):rep(1 << 20)) while true do string.dump(f) end",
    "while true do pcall(string.pack, 's8', ('x'):rep(1 << 27)) end",
    "local s = ('z'):rep(1 << 26) while true do pcall(string.pack, s) pcall(string.packsize, s) pcall(string.packsize, "
    "(' '):rep(1 << 26)) end",
    "while true do pcall(string.format, ('%%'):rep(1 << 26)) end",
    "while true do pcall(string.format, ('x'):rep(1 << 27)) end",
    "while true do pcall(string.rep, '', 1 << 62) pcall(string.rep, '', 1 << 31) end",
    "local t = {} for i = 1, 1 << 22 do t[i] = true end for i = 1, (1 << 22) - 1 do t[i] = nil end while true do "
    "next(t) end",
    "local t = {} for i = 1, 1 << 21 do t['k' .. i] = true end for i = 1, 1 << 21 do t['k' .. i] = nil end while true "
    "do next(t) end",
    "local t = {} for i = 1, 1 << 22 do t[i] = i end while true do local u = {table.unpack(t, 1, 200)} u = #t t[1 << "
    "23] = nil end",
    "local t = {} while true do for i = 1, 1 << 22 do t[i] = i end for i = 1, 1 << 22 do t[i] = nil end t[1.5] = 1 t = "
    "{} end",
    "local t = {} for i = 1, 1 << 22 do t[i] = {} end while true do collectgarbage() end",
    "local t = {} for i = 1, 1 << 22 do t[i] = {} end while true do local x = {} end",
    "local t = setmetatable({}, {__mode = 'k'}) local k = {} for i = 1, 1 << 18 do local n = {} t[k] = n k = n end "
    "while true do collectgarbage() end",
    "local t = {} for i = 1, 1 << 20 do t[i] = setmetatable({}, {__gc = function() end}) end t = nil while true do "
    "collectgarbage() end",
    "local t = {} for i = 1, 1 << 18 do t[i] = setmetatable({}, {__gc = function() local x = {} while true do x = {x} "
    "end end}) end t = nil while true do collectgarbage() end",
    "local function f(n) return (select('#', table.unpack({}, 1, n))) end while true do f(900000) end",
    "local function f(...) return select('#', ...) end local t = {} for i = 1, 900000 do t[i] = i end while true do "
    "f(table.unpack(t)) end",
    "local function f(...) return f(1, 2, 3, 4, 5, 6, 7, 8, ...) end while true do pcall(f) end",
    "local function f() local a <close> = setmetatable({}, {__close = function() end}) return 1 + f() end while true "
    "do pcall(f) end",
    "local function f() defer(function() end) return 1 + f() end while true do pcall(f) end",
    "local function f() local a <close> = setmetatable({}, {__close = function() error('x') end}) f() end while true "
    "do pcall(f) end",
    "local function f() return xpcall(f, f) end f()",
    "local function f() xpcall(error, f) end while true do f() end",
    "local function f() return pcall(f) end while true do f() end",
    "local function h() error('x') end while true do xpcall(error, h) end",
    "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) while true do pcall(function() return "
    "t[1] end) end",
    "local t = setmetatable({}, {__add = function(a, b) return a + b end}) while true do pcall(function() return t + 1 "
    "end) end",
    "local t = setmetatable({}, {__concat = function(a, b) return a .. b end}) while true do pcall(function() return t "
    ".. 1 end) end",
    "local t = setmetatable({}, {__eq = function(a, b) return a == b end}) local u = setmetatable({}, getmetatable(t)) "
    "while true do pcall(function() return t == u end) end",
    "local t = setmetatable({}, {__tostring = function(a) return tostring(a) end}) while true do pcall(tostring, t) "
    "end",
    "local function f() return coroutine.wrap(f)() end while true do pcall(f) end",
    "local function f() string.gsub('a', 'a', f) end while true do pcall(f) end",
    "local function f() table.sort({1, 2, 3}, f) end while true do pcall(f) end",
    "local function f() for k in string.gmatch('a', 'a') do f() end end while true do pcall(f) end",
    "local function f() load(f) end while true do pcall(f) end",
    "local function f() require('x') end while true do pcall(f) end",
    "while true do pcall(function() local x <close> = setmetatable({}, {__close = function() error(1) end}) error(2) "
    "end) end",
    "local function f() local x <close> = setmetatable({}, {__close = f}) while true do end end while true do pcall(f) "
    "end",
    "local function f() defer(f) while true do end end while true do pcall(f) end",
    "local function f() go(f) end while true do local x <close> = setmetatable({}, {__close = f}) f() end",
    "local function f() while true do go(f) end end local x <close> = setmetatable({}, {__close = f}) select{}",
    "local t = {} for i = 1, 200 do t[i] = i end local function f(a, ...) if a then return f(...) end return "
    "f(table.unpack(t)) end f()",
    "math.randomseed(1) while true do math.random(1 << 62) end",
    "local c = chan(1 << 24) while true do c:trysend(1) end",
    "while true do chan(1 << 20) end",
    "local t = {} while true do t[#t+1] = chan(1 << 20) end",
    "local m = sync.map() while true do m:store({}, 1) end",
    "local m = sync.map() for i = 1, 1 << 20 do m:store(i, 1) end while true do for k in pairs(m) do end "
    "m:range(function() return true end) end",
    "local e = sync.errgroup() while true do e:go(function() error('x') end) end",
    "while true do go(function() error(('x'):rep(1000)) end) end",
    "local function deep(n) if n == 0 then error('x') end return 1 + deep(n - 1) end while true do go(deep, 10000) end",
    "local function deep(n) if n == 0 then chan():recv() end return 1 + deep(n - 1) end while true do go(deep, 1000) "
    "end",
    "local function f(n) if n == 0 then return end return 1, f(n - 1) end while true do f(90000) end",
    "local function f(n, ...) if n == 0 then return ... end return f(n - 1, n, ...) end while true do pcall(f, 250) "
    "pcall(f, 100000) end",
    "local t = {} for i = 1, 250 do t[i] = 'x' .. i end local s = 'return {' .. table.concat(t, ',') .. '}' for i = 1, "
    "1e4 do t[i] = s end local s = table.concat(t, ';') while true do load('local function f() ' .. s:gsub(';', ' end "
    "local function f() ') .. ' end') end",
    "local s = 'local x = ' .. ('function(...) return '):rep(190) .. '1' .. (' end'):rep(190) while true do load(s) "
    "end",
    "local v = {} for i = 1, 199 do v[i] = 'v' .. i end local s = 'local ' .. table.concat(v, ',') .. ' ' .. "
    "('function g() '):rep(180) .. ('x = v1 + v199 + zzz '):rep(1 << 16) .. (' end'):rep(180) while true do load(s) "
    "end",
    "local t = {} for i = 1, 3e6 do t['k' .. i] = i end while true do for i = 1, 3e6 do t['z' .. i] = i end end",
    "local t = {} for i = 1, math.huge do t['k' .. i] = i end",
    "local t = {} for i = 1, math.huge do t[i] = i end",
    "t = {} go(function() end) for i = 1, math.huge do t['k' .. i] = i end",
    "t = {} go(function() end) for i = 1, math.huge do t[i] = i end",
    "t = {} go(function() end) for i = 1, math.huge do t[i * 3] = i end",
    "local t = setmetatable({}, {__mode = 'k'}) for i = 1, math.huge do t[{}] = i end",
    "local t = setmetatable({}, {__mode = 'v'}) for i = 1, math.huge do t[i] = {} end",
    "local s = ('x'):rep(1 << 24) while true do pcall(error, s) error(s) end",
    "while true do pcall(error, setmetatable({}, {__tostring = function() while true do end end})) end",
    "error(setmetatable({}, {__tostring = function() while true do end end}))",
    "go(function() error(setmetatable({}, {__tostring = function() while true do end end})) end) select{}",
    "for i = 1, 1000 do go(function() error(setmetatable({}, {__tostring = function() while true do end end})) end) "
    "end select{}",
    "local t = {} for i = 1, 1e6 do t[i] = ('x'):rep(20) end return table.unpack(t, 1, 9e5)",
    "local s = ('x'):rep(1 << 24) return s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s",
    "local c = chan() go(function() while true do c:send(1) end end) while true do select{{recv = c}, {recv = c}} end",
    "local cs = {} for i = 1, 1e5 do cs[i] = {recv = chan()} end while true do select(cs) end",
    "local cs = {} for i = 1, 1e5 do cs[i] = {recv = chan()} end for i = 1, 20 do go(function() select(cs) end) end "
    "select(cs)",
    "while true do local c = context.withcancel(context.background()) for i = 1, 1000 do context.withcancel(c) end end",
    "local c, cancel = context.withcancel(context.background()) for i = 1, 1e6 do context.withcancel(c) end while true "
    "do cancel() end",
    "local c, cancel = context.withcancel(context.background()) local d = c for i = 1, 1e5 do d = "
    "context.withcancel(d) end while true do cancel() d:value(1) end",
    "local d = context.background() for i = 1, 1e6 do d = context.withvalue(d, i, i) end while true do d:value('x') "
    "end",
    "local w = sync.waitgroup() w:add(1) for i = 1, 1e5 do go(function() w:wait() while true do end end) end w:done() "
    "while true do end",
    "local c = chan() for i = 1, 1e5 do go(function() c:recv() while true do end end) end c:close() while true do end",
    "local mu = sync.mutex() local cv = sync.cond(mu) for i = 1, 1e5 do go(function() mu:lock() cv:wait() while true "
    "do end end) end while true do cv:broadcast() end",
    "while true do runtime.stack(true) runtime.gc() runtime.memstats() end",
    "for i = 1, 1e4 do go(function() select{} end) end while true do runtime.stack(true) end",
    "while true do debug.traceback(('x'):rep(1 << 20)) end",
    "debug.sethook(function() while true do end end, '', 1) while true do end",
    "debug.sethook(function() pcall(function() while true do end end) end, 'crl') while true do end",
    "local function f(n) if n == 0 then while true do debug.traceback() end end f(n - 1) return 1 end f(100000)",
    "local co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end",
    "while true do coroutine.wrap(function() error('x') end) pcall(coroutine.wrap(function() error('x') end)) end",
    "while true do coroutine.close(coroutine.create(function() local x <close> = setmetatable({}, {__close = "
    "function() while true do end end}) coroutine.yield() end)) local co = coroutine.create(function() local x <close> "
    "= setmetatable({}, {__close = function() while true do end end}) coroutine.yield() end) coroutine.resume(co) "
    "coroutine.close(co) end",
};
