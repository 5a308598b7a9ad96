"""Writes nltk.json: what NLTK finds in captions by the rule of GroupViT's code
(words tagged as nouns or verbs), for a check of the Go tagger.

    pip install nltk==3.10.4
    python3 fixture.py TAGGER DATA > nltk.json

TAGGER is averaged_perceptron_tagger.pickle of NLTK's data packages, DATA holds
train/flickr8k-*.tar (webdataset shards with "captions" in each .json). Every
30th caption is taken, in the order of the shards, and only the words found are
stored. The sentences below are this project's and stored whole.
"""

import glob
import json
import pickle
import sys
import tarfile

from nltk.tag.perceptron import PerceptronTagger
from nltk.tokenize import word_tokenize

EVERY = 30
TAGS = {"NN", "NNS", "NNP", "VB", "VBD", "VBG", "VBN", "VBP", "VBZ"}
SENTENCES = """\
A brown dog jumps over the fence.
Two children, a dog and a cat sit on the grass
The woman's hat is red; the man's isn't.
They don't know that it's raining!
"Stop," she said, "the bus is coming."
We cannot see the boat (it is too far away).
The 12-year-old boy scored 3 goals in 1998.
A well-dressed man walks down Fifth Avenue in New York.
He paid $5.99 for a T-shirt at 10:30 a.m. on Monday
I'll be there, you're late, they've left, he'd go
people skiing -- some falling -- on a snowy mountain...
Dr. Smith and Mrs. Jones ride horses.
a photo of a golden retriever
the keyboard, the mouse & the monitor
an old, rusty, abandoned car near the sea
Is this a painting of 50% of the city?
gonna play football with friends
black and white photo of trains at a station
#sunset over the ocean with @friends
sheep grazing [in a field] under clouds
CLOSE UP OF A CAT SLEEPING ON A SOFA
the boys' toys lie on the kitchen floor
Running water, falling leaves, singing birds
a man wearing a helmet is riding a motorcycle
one person standing, another sitting and a third lying down
"""


def captions():
    for path in sorted(glob.glob(f"{sys.argv[2]}/train/flickr8k-*.tar")):
        with tarfile.open(path) as shard:
            for member in shard:
                if member.name.endswith(".json"):
                    yield from json.load(shard.extractfile(member))["captions"]


with open(sys.argv[1], "rb") as f:
    weights, tagdict, classes = pickle.load(f)
tagger = PerceptronTagger(load=False)
tagger.model.weights, tagger.tagdict = weights, tagdict
tagger.model.classes = tagger.classes = classes


def tagged(caption):
    # One sentence: NLTK's sentence splitter is left out.
    return tagger.tag(word_tokenize(caption, preserve_line=True))


def nouns(caption):
    return [word for word, tag in tagged(caption) if tag in TAGS]


print(
    json.dumps(
        {
            "source": "NLTK word_tokenize and averaged_perceptron_tagger",
            "every": EVERY,
            "nouns": [nouns(c) for c in list(captions())[::EVERY]],
            "sentences": [
                {"text": s, "tagged": [f"{w}/{t}" for w, t in tagged(s)]}
                for s in SENTENCES.splitlines()
            ],
        }
    )
    .replace('], [', '],\n[')
    .replace('}, {', '},\n{')
)
