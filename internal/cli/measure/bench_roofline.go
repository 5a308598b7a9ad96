package measure

import (
	"context"
	"fmt"

	"github.com/groupvit/groupvit/internal/cli/command"
	"github.com/groupvit/groupvit/internal/evaluate/speed"
	"github.com/groupvit/groupvit/internal/network"
)

// rooflines measures and prints where the time of each case goes.
func (f *benchFlags) rooflines(ctx context.Context, env *command.Environment, works []speed.Work, engines []string, net network.Config, o speed.Options) error {
	list := []*speed.Roofline{}
	for _, w := range works {
		cases, err := f.cases(w, engines, net)
		if err != nil {
			return err
		}
		for _, c := range cases {
			r, err := speed.MeasureRoofline(ctx, c, o)
			env.ClearLine()
			if err != nil {
				return benchError(err)
			}
			list = append(list, r)
		}
	}
	if env.JSON {
		return env.Print(list)
	}
	for i, r := range list {
		if i > 0 {
			fmt.Fprintln(env.Stdout)
		}
		if err := speed.WriteRoofline(env.Stdout, r); err != nil {
			return err
		}
	}
	return nil
}
