"""Writes decode/: small files of every format that Decode reads, each with
NAME.want.png, the upright RGB picture that Pillow makes of it (alpha over white).

    pip install pillow==13.0.0 numpy opencv-python-headless==5.0.0.93
    python internal/imaging/testdata/decode.py
"""

import io
import pathlib
import struct
import zlib

import cv2
import numpy as np
from PIL import Image, ImageOps

OUT = pathlib.Path(__file__).resolve().parent / "decode"
W, H = 45, 31  # odd, so that halved chroma has a last column and row of its own

y, x = np.mgrid[0:H, 0:W]
RGB = np.stack([127 + 120 * np.sin(x / 6 + y / 9), 255 * x / W, 127 + 120 * np.cos(y / 5)], 2).astype(np.uint8)
RGB[8:16, 10:22] = (230, 30, 40)
PHOTO = Image.fromarray(RGB)
ALPHA = PHOTO.copy()
ALPHA.putalpha(Image.fromarray((255 * y / (H - 1)).astype(np.uint8)))


def over_white(image):
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def put(name, data, want=None):
    (OUT / name).write_bytes(data)
    if want is None:
        want = Image.open(io.BytesIO(data))
        want = ImageOps.exif_transpose(want)
        if "A" in want.mode or "transparency" in want.info:
            want = over_white(want)
    want.convert("RGB").save(OUT / (name + ".want.png"), optimize=True)


def save(name, image, format, want=None, **options):
    b = io.BytesIO()
    image.save(b, format, **options)
    put(name, b.getvalue(), want)


def chunks(data):
    at = 8
    while at < len(data):
        n = struct.unpack(">I", data[at : at + 4])[0]
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + n]
        at += 12 + n


def join(parts):
    out = b"\x89PNG\r\n\x1a\n"
    for name, body, *sum in parts:
        out += struct.pack(">I", len(body)) + name + body + struct.pack(">I", sum[0] if sum else zlib.crc32(name + body))
    return out


def png_bytes(image, **options):
    b = io.BytesIO()
    image.save(b, "PNG", **options)
    return b.getvalue()


def png_faults():
    """Files with faults that matter to nobody."""
    rgb, rgba = list(chunks(png_bytes(PHOTO))), list(chunks(png_bytes(ALPHA)))
    indexed = list(chunks(png_bytes(PHOTO.quantize(16))))
    head, body = rgb[:1], rgb[1:]
    put("fault-iccp-sum.png", join(head + [(b"iCCP", b"x\0\0" + zlib.compress(b"no profile"), 1)] + body), PHOTO)
    put("fault-text-sum.png", join(head + [(b"tEXt", b"Comment\0hello", 99)] + body), PHOTO)
    put("fault-plte-twice.png", join(head + [(b"PLTE", b"abc"), (b"PLTE", b"def")] + body), PHOTO)
    put("fault-plte-twice-indexed.png", join(indexed[:2] + [indexed[1]] + indexed[2:]), PHOTO.quantize(16))
    put("fault-trns-rgba.png", join(rgba[:1] + [(b"tRNS", b"\0" * 6)] + rgba[1:]), over_white(ALPHA))
    raw = zlib.decompress(b"".join(b for n, b in rgb if n == b"IDAT"))
    put("fault-more-data.png", join(head + [(b"IDAT", zlib.compress(raw + b"\0" * 1000)), (b"IEND", b"")]), PHOTO)
    put("fault-data-apart.png", join(head + [(b"IDAT", zlib.compress(raw)[:900]), (b"tEXt", b"a\0b"), (b"IDAT", zlib.compress(raw)[900:]), (b"IEND", b"")]), PHOTO)
    put("fault-no-end.png", join(rgb[:-1]), PHOTO)
    put("fault-adler.png", join(head + [(b"IDAT", zlib.compress(raw)[:-4] + b"\1\2\3\4"), (b"IEND", b"")]), PHOTO)
    b = cv2.imencode(".png", RGB[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes()
    exif = Image.Exif()
    exif[0x0112] = 6
    tiff = exif.tobytes()[6:] if exif.tobytes().startswith(b"Exif") else exif.tobytes()
    turned = PHOTO.transpose(Image.Transpose.ROTATE_270)
    put("exif-prefix.png", join(head + [(b"eXIf", b"Exif\0\0" + tiff)] + body), turned)
    text = b"\nexif\n%8d\n" % (len(tiff) + 6) + (b"Exif\0\0" + tiff).hex().encode() + b"\n"
    put("exif-text.png", join(head + [(b"tEXt", b"Raw profile type exif\0" + text)] + body), turned)
    put("exif-ztxt.png", join(head + [(b"zTXt", b"Raw profile type APP1\0\0" + zlib.compress(text))] + body), turned)
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    put("xmp.png", join(head + [(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)] + body), turned)
    # Adam7 with a fault, of 1 bit and of 8.
    for name, image in {"1": PHOTO.convert("1"), "8": PHOTO}.items():
        a = np.asarray(image.convert("L")) // 255 if name == "1" else RGB
        rows = b""
        for x0, y0, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
            for row in a[y0::dy, x0::dx]:
                rows += b"\0" + (np.packbits(row).tobytes() if name == "1" else row.tobytes())
        header = struct.pack(">IIBBBBB", W, H, 1 if name == "1" else 8, 0 if name == "1" else 2, 0, 0, 1)
        put(f"fault-interlaced-{name}.png", join([(b"IHDR", header), (b"tEXt", b"a\0b", 7), (b"IDAT", zlib.compress(rows + b"more")), (b"IEND", b"")]), image)
    twelve = RGB[..., 1].astype(np.uint16) << 4
    put("png-grey-12-of-16.png", png_bytes(Image.fromarray(twelve)), Image.fromarray(RGB[..., 1]))


def gif_faults():
    b = io.BytesIO()
    PHOTO.quantize(64).save(b, "GIF", interlace=0)
    data = b.getvalue()
    want = Image.open(io.BytesIO(data)).convert("RGB")
    first = 13 + 3 * 64  # the first block behind header and palette
    while data[first] == 0x21:
        first += 2
        while data[first]:
            first += 1 + data[first]
        first += 1
    begin = first + 10  # behind the image's descriptor
    at, codes = begin + 1, b""
    while data[at]:
        codes += data[at + 1 : at + 1 + data[at]]
        at += 1 + data[at]

    def blocks(codes):
        return b"".join(bytes([len(codes[i : i + 255])]) + codes[i : i + 255] for i in range(0, len(codes), 255)) + b"\0"

    put("gif-more-data.gif", data[: begin + 1] + blocks(codes + b"\x55" * 300) + b";", want)
    put("gif-no-end.gif", data[: begin + 1] + blocks(codes), want)
    short = bytearray(data)
    struct.pack_into("<H", short, first + 7, H - 5)  # a frame of fewer rows than there are
    struct.pack_into("<H", short, 8, H - 5)
    put("gif-more-rows.gif", bytes(short), want.crop((0, 0, W, H - 5)))


def webp_kinds():
    b = io.BytesIO()
    PHOTO.save(b, "WEBP", lossless=True, save_all=True, append_images=[PHOTO.rotate(180)], duration=100)
    put("webp-animated.webp", b.getvalue(), PHOTO)
    b = io.BytesIO()
    clear = ALPHA.copy()
    clear.save(b, "WEBP", lossless=True, exact=True, save_all=True, append_images=[PHOTO.convert("RGBA")], duration=100)
    put("webp-animated-alpha.webp", b.getvalue(), over_white(ALPHA))
    b = io.BytesIO()
    ALPHA.save(b, "WEBP", quality=90)
    data = bytearray(b.getvalue())
    data[20] &= ~0x10  # no alpha, says the header
    flat = Image.open(io.BytesIO(bytes(data))).convert("RGBA")
    put("webp-alpha-unsaid.webp", bytes(data), Image.fromarray(np.asarray(flat)[..., :3]))
    # A frame that is smaller than its canvas.
    b = io.BytesIO()
    PHOTO.crop((0, 0, 20, 10)).save(b, "WEBP", lossless=True)
    vp8l = b.getvalue()[12:]
    int24 = lambda v: struct.pack("<I", v)[:3]
    frame = int24(3) + int24(4) + int24(19) + int24(9) + int24(100) + b"\0" + vp8l
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + int24(W - 1) + int24(H - 1)
    body += b"ANIM" + struct.pack("<I", 6) + b"\0" * 6 + b"ANMF" + struct.pack("<I", len(frame)) + frame
    canvas = Image.new("RGB", (W, H), "white")
    canvas.paste(PHOTO.crop((0, 0, 20, 10)), (6, 8))
    put("webp-animated-part.webp", b"RIFF" + struct.pack("<I", len(body)) + body, canvas)


def bmp(bits, rows, size=40, compression=0, table=b"", masks=b"", height=None, gap=b"", used=0):
    """A BMP of stored rows, the lowest first."""
    height = H if height is None else height
    if size == 12:
        head = struct.pack("<IHHHH", 12, W, height, 1, bits)
    else:
        head = struct.pack("<IiiHHIIiiII", size, W, height, 1, bits, compression, len(rows), 2835, 2835, used, 0)
        if size > 40:
            head += masks.ljust(size - 40, b"\0")
            masks = b""
    start = 14 + len(head) + len(masks) + len(table) + len(gap)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + head + masks + table + gap + rows


def bmp_kinds():
    def rows(a, up=True):
        a = a[::-1] if up else a
        return b"".join(r.tobytes() + b"\0" * (-len(r.tobytes()) % 4) for r in a)

    bgr = np.ascontiguousarray(RGB[..., ::-1])
    put("bmp-os2.bmp", bmp(24, rows(bgr), size=12), PHOTO)
    put("bmp-os2-64.bmp", bmp(24, rows(bgr), size=64), PHOTO)
    put("bmp-top-down.bmp", bmp(24, rows(bgr, False), height=-H), PHOTO)
    put("bmp-gap.bmp", bmp(24, rows(bgr), gap=b"\0" * 50), PHOTO)
    r, g, b = (RGB[..., i].astype(int) for i in range(3))
    five = lambda v, most: np.round(v * most / 255).astype(int)
    shown = lambda *parts: Image.fromarray(np.stack([np.round(v * 255 / m) for v, m in parts], 2).astype(np.uint8))
    v = (five(r, 31) << 10 | five(g, 31) << 5 | five(b, 31)).astype("<u2")
    want = shown((five(r, 31), 31), (five(g, 31), 31), (five(b, 31), 31))
    put("bmp-16.bmp", bmp(16, rows(v)), want)
    put("bmp-16-top-down.bmp", bmp(16, rows(v, False), height=-H), want)
    v = (five(r, 31) << 11 | five(g, 63) << 5 | five(b, 31)).astype("<u2")
    want = shown((five(r, 31), 31), (five(g, 63), 63), (five(b, 31), 31))
    masks = struct.pack("<III", 0xF800, 0x7E0, 0x1F)
    put("bmp-565.bmp", bmp(16, rows(v), compression=3, masks=masks), want)
    put("bmp-565-v2.bmp", bmp(16, rows(v), size=52, compression=3, masks=masks), want)
    put("bmp-565-v5.bmp", bmp(16, rows(v), size=124, compression=3, masks=masks), want)
    v = (r << 24 | g << 16 | b << 8).astype("<u4")
    put("bmp-32-other-masks.bmp", bmp(32, rows(v), compression=3, masks=struct.pack("<III", 0xFF000000, 0xFF0000, 0xFF00)), PHOTO)
    v = ((r >> 2) << 20 | (g >> 2) << 10 | (b >> 2)).astype("<u4")
    want = shown((r >> 2, 63), (g >> 2, 63), (b >> 2, 63))
    put("bmp-32-six-bits.bmp", bmp(32, rows(v), compression=3, masks=struct.pack("<III", 63 << 20, 63 << 10, 63)), want)
    a = np.asarray(ALPHA)[..., 3].astype(int)
    v = (a << 24 | r << 16 | g << 8 | b).astype("<u4")
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    put("bmp-alpha-v4.bmp", bmp(32, rows(v), size=108, compression=3, masks=masks), over_white(ALPHA))
    put("bmp-alpha-v3.bmp", bmp(32, rows(v), size=56, compression=3, masks=masks), over_white(ALPHA))
    put("bmp-32-no-alpha.bmp", bmp(32, rows(v)), PHOTO)
    put("bmp-32-zero-alpha.bmp", bmp(32, rows((v & 0xFFFFFF).astype("<u4")), size=108, compression=3, masks=masks), PHOTO)
    for bits in (1, 2, 4, 8):
        p = PHOTO.quantize(2**bits)
        index = np.asarray(p)
        table = np.array(p.getpalette()[: 3 * 2**bits]).reshape(-1, 3)
        quad = b"".join(bytes([c[2], c[1], c[0], 0]) for c in table).ljust(4 * 2**bits, b"\0")
        triple = b"".join(bytes([c[2], c[1], c[0]]) for c in table).ljust(3 * 2**bits, b"\0")
        packed = np.packbits(np.unpackbits(index[..., None], axis=2)[..., 8 - bits :].reshape(H, -1), axis=1)
        put(f"bmp-palette{bits}.bmp", bmp(bits, rows(packed), table=quad), p)
        put(f"bmp-palette{bits}-os2.bmp", bmp(bits, rows(packed), size=12, table=triple), p)
        if bits == 8:
            put("bmp-few-colours.bmp", bmp(8, rows(index), table=quad[: 4 * (int(index.max()) + 1)], used=int(index.max()) + 1), p)
            out = b""
            for row in index[::-1]:
                x = 0
                while x < W:
                    n = 1
                    while x + n < W and n < 255 and row[x + n] == row[x]:
                        n += 1
                    if n > 1 or W - x < 3:
                        out += bytes([n, row[x]])
                        x += n
                        continue
                    n = min(5, W - x)
                    out += bytes([0, n]) + row[x : x + n].tobytes() + b"\0" * (n % 2)
                    x += n
                out += b"\0\0"
            put("bmp-rle8.bmp", bmp(8, out + b"\0\1", compression=1, table=quad), p)
        if bits == 4:
            out = b""
            for row in index[::-1]:
                n = W - 7
                out += bytes([0, n]) + bytes(int(row[i]) << 4 | (int(row[i + 1]) if i + 1 < n else 0) for i in range(0, n, 2))
                out += b"\0" * ((n + 1) // 2 % 2)
                for i in range(n, W):
                    out += bytes([1, int(row[i]) << 4])
                out += b"\0\0"
            put("bmp-rle4.bmp", bmp(4, out + b"\0\1", compression=2, table=quad), p)


def pnm_kinds():
    grey = RGB[..., 1]
    wide = grey.astype(">u2") * 257
    head = f"{W} {H}\n".encode()
    text = lambda a: b"\n".join(b" ".join(b"%d" % v for v in row.reshape(-1)) for row in a) + b"\n"
    bits = grey >> 7
    put("p1.pbm", b"P1\n# a comment\n" + head + text(1 - bits).replace(b" ", b""), Image.fromarray(bits * 255))
    put("p2.pgm", b"P2 " + head + b"# another\n15\n" + text(grey >> 4), Image.fromarray((grey >> 4) * 17))
    put("p3.ppm", b"P3\n" + head + b"255\n" + text(RGB), PHOTO)
    put("p4.pbm", b"P4\n" + head + np.packbits(1 - bits, axis=1).tobytes(), Image.fromarray(bits * 255))
    put("p5.pgm", b"P5\n" + head + b"255\n" + grey.tobytes(), Image.fromarray(grey))
    put("p5-16.pgm", b"P5\n" + head + b"65535\n" + wide.tobytes(), Image.fromarray(grey))
    put("p5-10.pgm", b"P5\n" + head + b"1020\n" + (grey.astype(int) * 4).astype(">u2").tobytes(), Image.fromarray(grey))
    put("p6.ppm", b"P6\n" + head + b"255\n" + RGB.tobytes(), PHOTO)
    put("p6-100.pnm", b"P6 " + head + b"100 " + (RGB // 3).astype(np.uint8).tobytes(),
        Image.fromarray(np.round(RGB // 3 * 255.0 / 100).astype(np.uint8)))
    pam = lambda depth, kind: f"P7\nWIDTH {W}\nHEIGHT {H}\nDEPTH {depth}\nMAXVAL 255\nTUPLTYPE {kind}\nENDHDR\n".encode()
    put("p7.pam", pam(3, "RGB") + RGB.tobytes(), PHOTO)
    put("p7-alpha.pam", pam(4, "RGB_ALPHA") + np.asarray(ALPHA).tobytes(), over_white(ALPHA))


class Tables:
    """The tables that libjpeg writes."""

    def __init__(self):
        b = io.BytesIO()
        Image.new("RGB", (16, 16), (10, 200, 30)).save(b, "JPEG", quality=92, optimize=False)
        data = b.getvalue()
        self.quant, self.codes, self.segments, at = {}, {}, b"", 2
        while data[at + 1] != 0xDA:
            n = struct.unpack(">H", data[at + 2 : at + 4])[0]
            body = data[at + 4 : at + 2 + n]
            if data[at + 1] == 0xDB:
                self.segments += data[at : at + 2 + n]
                self.quant[body[0]] = np.array(list(body[1:65]))
            if data[at + 1] == 0xC4:
                code, k, words = 0, 17, {}
                for length in range(1, 17):
                    for _ in range(body[length]):
                        words[body[k]] = format(code, f"0{length}b")
                        code, k = code + 1, k + 1
                    code <<= 1
                self.codes[body[0]] = words
                self.dht = getattr(self, "dht", b"") + data[at : at + 2 + n]
            at += 2 + n


ZIGZAG = sorted(range(64), key=lambda i: (i // 8 + i % 8, i % 8 if (i // 8 + i % 8) % 2 == 0 else i // 8))


def baseline(sampling, restart=0, tables=True, planes=None):
    """A baseline JPEG of any sampling: a list of (h, v). Returns what comes before the
    scan's data, and the data of each restart interval."""
    t = Tables()
    if planes is None:
        planes = [np.asarray(p).astype(float) for p in PHOTO.convert("YCbCr").split()]
    hmax, vmax = max(h for h, _ in sampling), max(v for _, v in sampling)
    across, down = -(-W // (8 * hmax)), -(-H // (8 * vmax))
    u, x = np.mgrid[0:8, 0:8]
    dct = np.cos((2 * x + 1) * u * np.pi / 16) * np.where(u == 0, np.sqrt(1 / 8), 0.5)
    parts = []
    for (h, v), plane in zip(sampling, planes):
        w, d = -(-W * h // hmax), -(-H * v // vmax)
        small = np.asarray(Image.fromarray(plane.astype(np.uint8)).resize((w, d), Image.Resampling.BOX)).astype(float)
        parts.append(np.pad(small, ((0, down * v * 8 - d), (0, across * h * 8 - w)), "edge") - 128)
    intervals, text, last = [], "", [0] * len(parts)

    def number(v):
        n = int(abs(v)).bit_length()
        return n, format(v if v > 0 else v + (1 << n) - 1, f"0{n}b") if n else ""

    def close(text):
        text += "1" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")

    for unit in range(across * down):
        if restart and unit and unit % restart == 0:
            intervals.append(close(text))
            text, last = "", [0] * len(parts)
        for c, (h, v) in enumerate(sampling):
            k = min(c % 3, 1)
            for block in range(h * v):
                by, bx = unit // across * v + block // h, unit % across * h + block % h
                f = dct @ parts[c][8 * by : 8 * by + 8, 8 * bx : 8 * bx + 8] @ dct.T
                q = np.round(f.reshape(-1)[ZIGZAG] / t.quant[k]).astype(int)
                n, bits = number(q[0] - last[c])
                text += t.codes[k][n] + bits
                last[c], run = q[0], 0
                for i in range(1, 64):
                    if q[i] == 0:
                        run += 1
                        continue
                    while run > 15:
                        text += t.codes[0x10 | k][0xF0]
                        run -= 16
                    n, bits = number(q[i])
                    text += t.codes[0x10 | k][run << 4 | n] + bits
                    run = 0
                if run:
                    text += t.codes[0x10 | k][0]
    intervals.append(close(text))
    n = len(sampling)
    head = b"\xff\xd8" + t.segments
    head += b"\xff\xc0" + struct.pack(">HBHHB", 8 + 3 * n, 8, H, W, n) + b"".join(bytes([i + 1, h << 4 | v, min(i % 3, 1)]) for i, (h, v) in enumerate(sampling))
    head += t.dht if tables else b""
    if restart:
        head += b"\xff\xdd\0\4" + struct.pack(">H", restart)
    head += b"\xff\xda" + struct.pack(">HB", 6 + 2 * n, n) + b"".join(bytes([i + 1, min(i % 3, 1) * 0x11]) for i in range(n)) + b"\0\x3f\0"
    return head, intervals


def joined(head, intervals, mark=lambda i: b"\xff" + bytes([0xD0 + i % 8]), end=b"\xff\xd9"):
    return head + b"".join(d + (mark(i) if i + 1 < len(intervals) else b"") for i, d in enumerate(intervals)) + end


def opened(data):
    return Image.open(io.BytesIO(data)).convert("RGB")


def jpeg_kinds():
    for name, sampling in {
        "1x4": [(1, 4), (1, 1), (1, 1)], "4x1": [(4, 1), (1, 1), (1, 1)], "4x2": [(4, 2), (1, 1), (1, 1)], "2x2-mixed": [(2, 2), (1, 2), (1, 1)],
        "chroma-bigger": [(1, 1), (2, 2), (2, 2)], "chroma-apart": [(2, 2), (2, 1), (1, 2)], "chroma-wide": [(1, 1), (2, 1), (2, 1)],
    }.items():
        data = joined(*baseline(sampling))
        put(f"jpeg-{name}.jpg", data, opened(data))
    plain = [(2, 2), (1, 1), (1, 1)]
    want = opened(joined(*baseline(plain)))
    put("jpeg-no-dht.jpg", joined(*baseline(plain, tables=False)), want)
    head, parts = baseline(plain, restart=1)
    put("jpeg-restarts.jpg", joined(head, parts), want)
    put("jpeg-restart-wrong.jpg", joined(head, parts, lambda i: b"\xff" + bytes([0xD4 if i == 2 else 0xD0 + i % 8])), want)
    put("jpeg-restart-lost.jpg", joined(head, parts, lambda i: b"" if i == 2 else b"\xff" + bytes([0xD0 + i % 8])), want)
    put("jpeg-restarts-lost.jpg", joined(head, parts, lambda i: b""), want)
    put("jpeg-fill-bytes.jpg", joined(head, parts, lambda i: b"\xff\xff\xff" + bytes([0xD0 + i % 8])), want)
    put("jpeg-no-end.jpg", joined(head, parts, end=b""), want)
    put("jpeg-text-behind.jpg", joined(head, parts) + b"some words that a program put behind the picture, none of them coded" * 3, want)
    head, parts = baseline(plain)
    body = parts[0]
    put("jpeg-end-inside.jpg", head + body[:700] + b"\xff\xd9" + body[700:] + b"\xff\xd9", want)



def main():
    OUT.mkdir(exist_ok=True)
    for make in (png_faults, gif_faults, webp_kinds, bmp_kinds, pnm_kinds, jpeg_kinds):
        make()
    for sampling in ("4:4:4", "4:2:2", "4:2:0"):
        save(f"jpeg-{sampling.replace(':', '')}.jpg", PHOTO, "JPEG", quality=90, subsampling=sampling)
    save("jpeg-progressive.jpg", PHOTO, "JPEG", quality=90, progressive=True)
    save("jpeg-grey.jpg", PHOTO.convert("L"), "JPEG", quality=90)
    save("jpeg-cmyk.jpg", PHOTO.convert("CMYK"), "JPEG", quality=95)
    b = io.BytesIO()
    PHOTO.convert("CMYK").save(b, "JPEG", quality=95)
    data = bytearray(b.getvalue())
    data[data.index(b"Adobe") + 11] = 2  # the colour transform: read it as YCCK
    put("jpeg-ycck.jpg", bytes(data))
    for n in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = n
        save(f"jpeg-exif-{n}.jpg", PHOTO, "JPEG", quality=90, exif=exif)
    exif = Image.Exif()
    exif[0x0112] = 6
    save("png-rgb.png", PHOTO, "PNG")
    save("png-rgba.png", ALPHA, "PNG")
    save("png-grey-alpha.png", ALPHA.convert("LA"), "PNG")
    save("png-palette.png", PHOTO.quantize(16), "PNG")
    save("png-palette-transparent.png", PHOTO.quantize(16), "PNG", transparency=3)
    save("png-1-bit.png", PHOTO.convert("1"), "PNG")
    save("png-exif.png", PHOTO, "PNG", exif=exif)
    grey16 = (RGB[..., 1].astype(np.uint16) << 8) + 77
    save("png-grey-16.png", Image.fromarray(grey16), "PNG", want=Image.fromarray(RGB[..., 1]))
    wide = RGB.astype(np.uint16) * 256 + 77
    put("png-rgb-16.png", cv2.imencode(".png", wide[..., ::-1])[1].tobytes(), want=PHOTO)
    put("png-rgba-16.png", cv2.imencode(".png", np.dstack(
        [wide[..., ::-1], np.asarray(ALPHA).astype(np.uint16)[..., 3] * 257]))[1].tobytes(), want=over_white(ALPHA))
    save("gif.gif", PHOTO.quantize(64), "GIF")
    save("gif-transparent.gif", PHOTO.quantize(16), "GIF", transparency=3)
    save("gif-frames.gif", PHOTO.quantize(64), "GIF", want=PHOTO.quantize(64), save_all=True,
         append_images=[Image.new("P", (W, H), 1)])
    save("webp-lossy.webp", PHOTO, "WEBP", quality=90)
    save("webp-lossy-alpha.webp", ALPHA, "WEBP", quality=90)
    save("webp-lossless.webp", PHOTO, "WEBP", lossless=True)
    save("webp-lossless-alpha.webp", ALPHA, "WEBP", lossless=True, exact=True)
    save("webp-exif.webp", PHOTO, "WEBP", quality=90, exif=exif)
    save("bmp.bmp", PHOTO, "BMP")
    save("bmp-palette.bmp", PHOTO.quantize(200), "BMP")
    save("tiff.tif", PHOTO, "TIFF")
    save("tiff-lzw.tif", PHOTO, "TIFF", compression="tiff_lzw")
    save("tiff-deflate-exif.tif", PHOTO, "TIFF", compression="tiff_adobe_deflate", tiffinfo={0x0112: 6})
    save("tiff-rgba.tif", ALPHA, "TIFF")
    save("tiff-grey.tif", PHOTO.convert("L"), "TIFF")
    save("tiff-1-bit.tif", PHOTO.convert("1"), "TIFF")
    save("tiff-palette.tif", PHOTO.quantize(16), "TIFF")
    save("tiff-grey-16.tif", Image.fromarray(grey16), "TIFF", want=Image.fromarray(RGB[..., 1]))
    save("bmp-grey.bmp", PHOTO.convert("L"), "BMP")


if __name__ == "__main__":
    main()
