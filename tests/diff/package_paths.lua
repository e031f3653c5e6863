-- Packages and C modules are looked for where lua5.4 looks.
-- Protects: what the package library takes from the package's luaconf.h.
print(package.path)
print(package.cpath)
print(package.config)
print(#package.searchers, package.searchpath("no.such", "./?.lua;./x/?.so"))
