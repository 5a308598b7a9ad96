package nouns

import "strings"

// Builtin returns the word list for training on photos: 6 classes that are
// measured, 28 things, 8 words for clothes and the body, 35 for ground, scenery
// and rooms. Chosen by what captions of everyday photos name often enough to be
// learnt.
func Builtin() []Word {
	var words []Word
	for _, part := range []struct {
		kind Kind
		text string
	}{{Class, classWords}, {Thing, thingWords}, {Body, bodyWords}, {Stuff, stuffWords}} {
		for line := range strings.Lines(part.text) {
			line = strings.TrimSpace(line)
			if line == "" {
				continue
			}
			words = append(words, parseWord(line, part.kind))
		}
	}
	return words
}

// One word a line: its name, its synonyms, and after " - " phrases that mean
// something else.
const (
	classWords = `
		cat, kitten, kitty, tabby
		cow, bull, calf, calves, cattle, ox, oxen - bull rider, bull riding
		dog, doggy, puppy, pup, poodle, dachshund, greyhound, terrier, retriever, collie, labrador, dalmatian, hound, bulldog, beagle, shepherd dog - hot dog, hotdog, corn dog
		horse, pony, foal, mare, stallion - horse back riding, sea horse, seahorse
		person, people, man, woman, boy, girl, child, children, kid, baby, toddler, infant, lady, gentleman, guy, teen, teenager, adult, human, player, football player, baseball player, basketball player, volleyball player, crowd, couple, friend, family, youth, someone, worker, rider, skater, surfer, swimmer, runner, climber, hiker, skier, snowboarder, skateboarder, cyclist, bicyclist, biker, mountain biker, motorcyclist, dancer, performer, batter, pitcher, quarterback, cowboy, bride, groom, policeman, officer, tourist, pedestrian, wrestler, athlete, mother, father, mom, dad, daughter, son, brother, sister, male, female
		sheep, lamb, ram, ewe
	`
	thingWords = `
		airplane, aeroplane, plane, jet, aircraft, helicopter
		ball, baseball, basketball, football, volleyball, soccer ball, tennis ball, beach ball - basketball court, volleyball court, football game, basketball game, baseball game, volleyball game, football team, baseball team, basketball team, football uniform, baseball uniform, football jersey, football helmet, football stadium
		bed, crib
		bench
		bicycle, bike, mountain bike, tricycle, unicycle
		bird, duck, duckling, seagull, goose, geese, pigeon, chicken, hen, rooster, parrot, swan, eagle, owl, flamingo, ibis, emu, peacock, goldfinch
		boat, canoe, kayak, sailboat, raft, ship, ferry, motorboat, speedboat, rowboat, yacht
		bottle
		bus, double decker
		car, taxi, van, suv, jeep, race car, automobile, minivan
		chair, armchair, stool, lawn chair
		deer, antelope, elk, moose
		elephant
		flower, sunflower, rose, bouquet
		frisbee, disc
		goat
		monitor, tv, television, tv screen, computer screen, laptop, computer
		motorbike, motorcycle, dirt bike, dirtbike, moped, scooter, motor bike, atv, four wheeler
		pig, piglet, hog
		plant, potted plant, houseplant, bush, shrub
		skateboard, skate board
		sofa, couch, loveseat
		stick, branch
		surfboard, surf board, boogie board
		table, desk, dining table, counter
		toy, doll, stuffed animal, teddy bear
		train, subway, locomotive, tram
		truck, pickup, lorry, fire truck
	`
	bodyWords = `
		shirt, tshirt, t shirt, tee shirt, sweater, sweatshirt, jersey, blouse
		jacket, coat, vest, hoodie
		hat, cap, baseball cap, beanie
		dress, skirt, gown
		pants, jeans, shorts, trousers, swim trunks, bathing suit, swimsuit
		helmet
		mouth, tongue, teeth, face
		hair, ponytail, beard
	`
	stuffWords = `
		grass, lawn, turf
		field, meadow, pasture, football field, baseball field, soccer field
		water, puddle
		snow, ice, glacier, snowbank
		sand, dune
		beach, shore, shoreline, coast
		street, alley, crosswalk
		road, highway, path, trail, track
		sidewalk, pavement, walkway
		dirt, mud, soil
		rock, boulder, cliff, stone, rock wall, rock face - rock band, rock climbing
		mountain, peak, mountainside, mountaintop, mountain range - mountain biking
		hill, hillside, slope
		tree, palm tree, tree trunk
		forest, woods, jungle, bamboo forest
		sky, skies
		cloud
		sea, ocean, wave, surf
		lake, pond
		river, stream, creek, waterfall
		pool, swimming pool, wading pool
		wall, brick wall
		building, skyscraper, tower, store, shop
		house, home, cabin, hut, cottage
		fence, railing, gate
		floor, carpet, rug, tile
		window
		door, doorway
		wood, log
		bridge
		kitchen
		bedroom
		bathroom, bathtub, restroom
		living room
		desert
	`
)
