package cli

import (
	"context"
	"fmt"

	"github.com/groupvit/groupvit/internal/evaluate/speed"
	"github.com/groupvit/groupvit/internal/network"
)

// rooflines measures and prints where the time of each case goes.
func (f *benchFlags) rooflines(ctx context.Context, env *environment, works []speed.Work, engines []string, net network.Config, o speed.Options) error {
	list := []*speed.Roofline{}
	for _, w := range works {
		cases, err := f.cases(w, engines, net)
		if err != nil {
			return err
		}
		for _, c := range cases {
			r, err := speed.MeasureRoofline(ctx, c, o)
			env.clearLine()
			if err != nil {
				return benchError(err)
			}
			list = append(list, r)
		}
	}
	if env.json {
		return env.print(list)
	}
	for i, r := range list {
		if i > 0 {
			fmt.Fprintln(env.stdout)
		}
		if err := speed.WriteRoofline(env.stdout, r); err != nil {
			return err
		}
	}
	return nil
}
