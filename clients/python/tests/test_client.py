"""Tests against the real program: GROUPVIT names it."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

import numpy as np
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import groupvit  # noqa: E402

PROGRAM = os.environ.get("GROUPVIT")
PHOTO = pathlib.Path(__file__).parents[3] / "examples/photos/cat.jpg"


@unittest.skipUnless(PROGRAM, "GROUPVIT names no program")
class TestClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = subprocess.Popen([PROGRAM, "serve", "--listen", "127.0.0.1:0"], env={**os.environ, "GROUPVIT_TOKEN": "secret"}, stderr=subprocess.PIPE, text=True)
        for line in cls.server.stderr:
            found = re.search(r"http://[\d.]+:\d+", line)
            if found:
                cls.client = groupvit.Client(found.group(), token="secret")
                return
        raise RuntimeError("the server told no address")

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        cls.server.wait(20)
        cls.server.stderr.close()

    def test_segment(self):
        with Image.open(PHOTO) as im:
            size = (im.height, im.width)
        found = self.client.segment(PHOTO, ["cat", "wall"], scores=True)
        self.assertEqual(found.mask.shape, size)
        self.assertEqual(found.scores.shape, (2, *size))
        for s in found.segments:
            self.assertEqual(int(found.region(s.label).sum()), s.pixels)
        np.testing.assert_array_equal(found.at(found.threshold), found.mask)
        self.assertTrue((found.at(1.01) == 0).all())
        with self.assertRaises(KeyError):
            found.region("dog")

    def test_kinds_of_photographs(self):
        with Image.open(PHOTO) as im:
            array = np.asarray(im.convert("RGB").resize((80, 60)))
        masks = [self.client.segment(p, ["cat"]).mask for p in (array, Image.fromarray(array))]
        np.testing.assert_array_equal(*masks)
        with self.assertRaises(TypeError):
            self.client.segment(array.astype(float), ["cat"])
        with self.assertRaises(TypeError):
            self.client.segment(PHOTO, "cat")

    def test_encode_once(self):
        whole = self.client.segment(PHOTO, ["cat", "wall"])
        with self.client.encode(PHOTO) as photo:
            np.testing.assert_array_equal(photo.segment(["cat", "wall"]).mask, whole.mask)
        with self.assertRaises(groupvit.Problem) as gone:
            photo.segment(["cat"])
        self.assertEqual(gone.exception.status, 404)

    def test_vectors(self):
        texts, images = self.client.embed_texts(["a cat", "a wall"]), self.client.embed_images([PHOTO])
        np.testing.assert_allclose(np.linalg.norm(np.concatenate([texts, images]), axis=1), 1, atol=1e-4)
        self.assertEqual({label for label, _ in self.client.classify(PHOTO, ["cat", "wall"])}, {"cat", "wall"})

    def test_problems(self):
        with self.assertRaises(groupvit.Problem) as bad:
            self.client.segment(b"no photograph", ["cat"])
        self.assertTrue(400 <= bad.exception.status < 500 and bad.exception.detail and bad.exception.remedy)
        with self.assertRaises(groupvit.Problem) as shut:
            groupvit.Client(self.client.url).segment(PHOTO, ["cat"])
        self.assertEqual(shut.exception.status, 401)


if __name__ == "__main__":
    unittest.main()
