module github.com/groupvit/groupvit/tools/site

go 1.26.5

require github.com/yuin/goldmark v1.8.7
