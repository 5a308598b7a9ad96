"""Tests against the real program: GROUPVIT names it. They import the installed package,
or the sources where there is none."""

import asyncio
import http.server
import io
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

import numpy as np
from PIL import Image

try:
    import groupvit
except ImportError:
    sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
    import groupvit

from groupvit.photos import encoded

PROGRAM = os.environ.get("GROUPVIT")
PHOTOS = pathlib.Path(__file__).parents[3] / "examples/photos"
PHOTO = PHOTOS / "cat.jpg"
README = pathlib.Path(__file__).parents[1] / "README.md"


class TestPhotos(unittest.TestCase):
    """What is sent decodes to the pixels that were given."""

    def test_arrays(self):
        for dtype in (np.uint8, np.uint16):
            top = np.iinfo(dtype).max
            for shape in ((5, 7), (5, 7, 3), (5, 7, 4)):
                array = np.linspace(0, top, int(np.prod(shape))).astype(dtype).reshape(shape)
                with Image.open(io.BytesIO(encoded(array))) as im:
                    self.assertEqual(im.size, (7, 5))
                    got = np.asarray(im)
                if dtype == np.uint16 and len(shape) == 3:  # Pillow reads the high bytes
                    array = (array >> 8).astype(np.uint8)
                np.testing.assert_array_equal(got.reshape(shape), array)

    def test_modes(self):
        grey = (np.arange(64 * 48, dtype=np.uint32).reshape(48, 64) * 21).astype(np.uint16)
        with Image.open(io.BytesIO(encoded(Image.fromarray(grey)))) as im:  # I;16
            np.testing.assert_array_equal(np.asarray(im), grey)
        with Image.open(io.BytesIO(encoded(Image.fromarray(grey.astype(np.int32))))) as im:  # I
            np.testing.assert_array_equal(np.asarray(im), grey)
        colour = Image.fromarray(np.random.default_rng(1).integers(0, 256, (9, 8, 4), dtype=np.uint8))
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "RGBa", "La"):
            image = colour.convert("RGB").convert(mode) if mode not in ("RGBa", "La", "LA", "RGBA") else colour.convert({"La": "LA"}.get(mode, "RGBA")).convert(mode)
            with Image.open(io.BytesIO(encoded(image))) as im:
                self.assertEqual(im.size, (8, 9), mode)
                alpha = mode in ("LA", "RGBA", "RGBa", "La")
                self.assertEqual("A" in im.getbands(), alpha, mode)
                if mode in ("RGB", "RGBA"):
                    np.testing.assert_array_equal(np.asarray(im), np.asarray(image))

    def test_bad(self):
        for bad in (np.zeros((3, 4), float), np.zeros((3, 4, 2), np.uint8), np.zeros((0, 4), np.uint8), np.zeros(3, np.uint8), 7, None):
            with self.assertRaises(TypeError):
                encoded(bad)
        with self.assertRaises(TypeError):
            encoded(Image.fromarray(np.full((2, 2), 70_000, np.int32)))


class TestErrors(unittest.TestCase):
    """Whatever goes wrong with a request is a Problem."""

    def test_nobody(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        for url in (f"http://127.0.0.1:{port}", "http://nowhere.invalid"):
            with self.assertRaises(groupvit.Unreachable) as e:
                groupvit.Client(url).segment(b"x", ["cat"])
            self.assertIsInstance(e.exception, groupvit.Problem)
            self.assertEqual(e.exception.status, 0)
        with self.assertRaises(ValueError):
            groupvit.Client("localhost:8080")

    def test_strange_servers(self):
        def serve(answer):
            s = socket.create_server(("127.0.0.1", 0))
            self.addCleanup(s.close)

            def run():
                while True:
                    try:
                        c, _ = s.accept()
                    except OSError:
                        return
                    with c:
                        c.recv(1 << 20)
                        c.sendall(answer)
                        if not answer:
                            import time
                            time.sleep(1)

            threading.Thread(target=run, daemon=True).start()
            return f"http://127.0.0.1:{s.getsockname()[1]}"

        def http_answer(status, body, kind="text/html"):
            return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()

        for answer, kind in (
            (b"", groupvit.Unreachable),  # says nothing
            (b"SSH-2.0-OpenSSH\r\n", groupvit.Unreachable),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", groupvit.Unreachable),
            (http_answer("200 OK", "<html>"), groupvit.BadAnswer),
            (http_answer("200 OK", "{}", "application/json"), groupvit.BadAnswer),
            (http_answer("200 OK", '{"results":[{"formats":{"planes":{"labels":"!"}}}]}', "application/json"), groupvit.BadAnswer),
            (http_answer("302 Found", ""), groupvit.BadAnswer),
            (http_answer("404 Not Found", "[1]"), groupvit.BadAnswer),
            (http_answer("502 Bad Gateway", "<html>"), groupvit.Problem),
        ):
            client = groupvit.Client(serve(answer), timeout=0.3, retries=0)
            for do in (lambda: client.segment(b"x", ["cat"]), lambda: client.embed_texts(["a"]), lambda: client.encode(b"x")):
                with self.assertRaises(groupvit.Problem) as e:
                    do()
                if b"results" not in answer:
                    self.assertIs(type(e.exception), kind, answer)


class Counting(http.server.ThreadingHTTPServer):
    """Passes requests on and counts connections."""

    connections = 0

    def process_request(self, request, address):
        self.connections += 1
        super().process_request(request, address)


@unittest.skipUnless(PROGRAM, "GROUPVIT names no program")
class TestClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = subprocess.Popen([PROGRAM, "serve", "--listen", "127.0.0.1:0"], env={**os.environ, "GROUPVIT_TOKEN": "secret"}, stderr=subprocess.PIPE, text=True)
        for line in cls.server.stderr:
            found = re.search(r"http://[\d.]+:\d+", line)
            if found:
                cls.drain = threading.Thread(target=cls.server.stderr.read, daemon=True)
                cls.drain.start()
                cls.client = groupvit.Client(found.group(), token="secret")
                return
        raise RuntimeError("the server gave no address")

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.server.terminate()
        cls.server.wait(20)
        cls.drain.join(20)
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

    def test_auto(self):
        """Without labels the model names what it sees."""
        found = self.client.segment(PHOTO)
        self.assertEqual([p["word"] for p in found.raw["proposed"]], found.labels)
        self.assertIn("cat", found.labels)

    def test_as_by_path(self):
        """A Pillow image and an array give what the file gives, whatever its mode."""
        with Image.open(PHOTO) as im:
            rgb = im.convert("RGB").resize((160, 106))
        alpha = rgb.copy()
        alpha.putalpha(Image.linear_gradient("L").resize(rgb.size))
        grey = rgb.convert("L")
        wide = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
        palette = alpha.convert("RGB").quantize(64)
        images = {"RGB": rgb, "RGBA": alpha, "LA": alpha.convert("LA"), "L": grey, "I;16": wide, "I": Image.fromarray(np.asarray(wide).astype(np.int32)), "P": palette, "1": grey.convert("1")}
        with tempfile.TemporaryDirectory() as folder:
            for name, image in images.items():
                path = pathlib.Path(folder) / "photo.png"
                (wide if name == "I" else image).save(path)
                want = self.client.segment(path, ["cat", "wall"], scores=True).scores
                got = self.client.segment(image, ["cat", "wall"], scores=True).scores
                np.testing.assert_array_equal(got, want, name)
                if name in ("RGB", "RGBA", "L", "I;16"):
                    np.testing.assert_array_equal(self.client.segment(np.asarray(image), ["cat", "wall"], scores=True).scores, want, name)
        # 16 bits are no white picture, and what is transparent is white.
        one = self.client.segment(grey, ["cat", "wall"], scores=True).scores
        np.testing.assert_allclose(self.client.segment(wide, ["cat", "wall"], scores=True).scores, one, atol=1e-3)
        clear = rgb.copy()
        clear.putalpha(0)
        white = Image.new("RGB", rgb.size, "white")
        np.testing.assert_array_equal(
            self.client.segment(clear, ["cat"], scores=True).scores, self.client.segment(white, ["cat"], scores=True).scores
        )
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
            self.client.segment(b"no photo", ["cat"])
        self.assertTrue(400 <= bad.exception.status < 500 and bad.exception.detail and bad.exception.remedy)
        with self.assertRaises(groupvit.Problem) as shut:
            groupvit.Client(self.client.url).segment(PHOTO, ["cat"])
        self.assertEqual(shut.exception.status, 401)

    def test_connection_is_kept(self):
        """Many requests take one connection; one that the server has closed is replaced."""
        upstream = self.client.url

        class Pass(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            asked = 0

            def do_POST(self):
                import urllib.request
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = urllib.request.Request(upstream + self.path, body, dict(self.headers))
                with urllib.request.urlopen(request) as answer:
                    text = answer.read()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
                Pass.asked += 1
                if Pass.asked == 5:
                    self.close_connection = True  # without saying so

            def log_message(self, *_):
                pass

        proxy = Counting(("127.0.0.1", 0), Pass)
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            with groupvit.Client(f"http://127.0.0.1:{proxy.server_port}", token="secret") as client:
                for _ in range(5):
                    client.embed_texts(["a"])
                self.assertEqual(proxy.connections, 1)
                client.embed_texts(["a"])
                self.assertEqual(proxy.connections, 2)
        finally:
            proxy.shutdown()
            proxy.server_close()

    def test_async(self):
        async def main():
            async with groupvit.AsyncClient(self.client.url, token="secret", connections=3) as client:
                several = await asyncio.gather(*(client.segment(PHOTO, ["cat", "wall"]) for _ in range(6)))
                async with await client.encode(PHOTO) as photo:
                    once = await photo.segment(["cat", "wall"])
                with self.assertRaises(groupvit.Problem):
                    await client.segment(b"no photo", ["cat"])
                self.assertEqual((await client.embed_texts(["a"])).shape[0], 1)
            return several + [once]

        masks = [f.mask for f in asyncio.run(main())]
        for m in masks[1:]:
            np.testing.assert_array_equal(m, masks[0])

    def test_readme(self):
        """The README's examples run as they stand, where the photos are."""
        examples = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.S | re.M)
        self.assertGreaterEqual(len(examples), 2)
        where = str(pathlib.Path(groupvit.__file__).parents[1])
        env = {**os.environ, "GROUPVIT_URL": self.client.url, "GROUPVIT_TOKEN": "secret", "PYTHONPATH": where}
        for example in examples:
            done = subprocess.run([sys.executable, "-c", example], cwd=PHOTOS, env=env, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            if "classify" in example:
                self.assertRegex(done.stdout, r"(?s)cat [\d.]+\ndog ")


if __name__ == "__main__":
    unittest.main()
