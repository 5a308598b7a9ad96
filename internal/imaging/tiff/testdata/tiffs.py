"""Writes read/: small TIFF files of the kinds that the package reads, want/: the RGB
pictures they hold, want.json: which file holds which, and refused/: kinds that the
package names and refuses.

    pip install pillow==13.0.0 numpy tifffile==2026.3.3 imagecodecs==2026.3.6
    python internal/imaging/tiff/testdata/tiffs.py
"""

import hashlib
import io
import json
import pathlib
import struct

import numpy as np
import tifffile
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
W, H = 37, 26  # odd, so that tiles and bytes are not full

y, x = np.mgrid[0:H, 0:W]
RGB = np.stack([127 + 120 * np.sin(x / 6 + y / 9), 255 * x / (W - 1), 127 + 120 * np.cos(y / 5)], 2).astype(np.uint8)
RGB[8:16, 10:22] = (230, 30, 40)
GREY = RGB[..., 1].copy()
GREY[0, 0] = 0
ALPHA = (255 * y / (H - 1)).astype(np.uint8)
NIR = (255 - RGB[..., 0]).astype(np.uint8)


def grey3(a):
    return np.stack([a] * 3, 2).astype(np.uint8)


def over_white(rgb, a):
    a = a[..., None].astype(int)
    return ((rgb * a + 255 * (255 - a) + 127) // 255).astype(np.uint8)


WANT = {}


def want(name, rgb):
    rgb = np.ascontiguousarray(rgb)
    png = hashlib.sha256(repr(rgb.shape).encode() + rgb.tobytes()).hexdigest()[:12] + ".png"
    Image.fromarray(rgb).save(HERE / "want" / png, optimize=True)
    WANT[name] = png


def put(name, data, rgb):
    (HERE / "read" / name).write_bytes(data)
    want(name, rgb)


def tf(name, array, rgb, **options):
    b = io.BytesIO()
    big = options.pop("bigtiff", False)
    order = options.pop("byteorder", "<")
    options.setdefault("metadata", None)
    with tifffile.TiffWriter(b, bigtiff=big, byteorder=order) as t:
        t.write(array, **options)
    put(name, b.getvalue(), rgb)
    return b.getvalue()


def pil(name, image, rgb=None, **options):
    b = io.BytesIO()
    image.save(b, "TIFF", **options)
    if rgb is None:
        rgb = np.asarray(Image.open(io.BytesIO(b.getvalue())).convert("RGB"))
    put(name, b.getvalue(), rgb)
    return b.getvalue()


def set_tag(data, tag, value):
    """Changes the value of a tag that fits its entry (little-endian, classic)."""
    data = bytearray(data)
    at = struct.unpack_from("<I", data, 4)[0]
    for i in range(struct.unpack_from("<H", data, at)[0]):
        e = at + 2 + 12 * i
        if struct.unpack_from("<H", data, e)[0] == tag:
            struct.pack_into("<HI", data, e + 2, 4, 1)
            struct.pack_into("<I", data, e + 8, value)
            return bytes(data)
    raise KeyError(tag)


def drop_tag(data, tag):
    data = bytearray(data)
    at = struct.unpack_from("<I", data, 4)[0]
    n = struct.unpack_from("<H", data, at)[0]
    entries = [data[at + 2 + 12 * i : at + 14 + 12 * i] for i in range(n)]
    entries = [e for e in entries if struct.unpack_from("<H", e)[0] != tag]
    tail = data[at + 2 + 12 * n : at + 6 + 12 * n]
    body = struct.pack("<H", len(entries)) + b"".join(entries) + tail
    data[at : at + len(body)] = body
    return bytes(data)


def plain(width, height, tags, data, order="<"):
    """A TIFF of one strip, uncompressed unless tags say otherwise."""
    tags = {256: width, 257: height, 273: 8, 278: height, 279: len(data), **tags}
    extra = b""
    at = 8 + len(data) + len(data) % 2
    n = len(tags)
    after = at + 2 + 12 * n + 4
    out = b""
    for tag in sorted(tags):
        v = tags[tag]
        if isinstance(v, (list, tuple)):
            body = struct.pack(order + "H" * len(v), *v)
            if len(body) > 4:
                out += struct.pack(order + "HHII", tag, 3, len(v), after + len(extra))
                extra += body
            else:
                out += struct.pack(order + "HHI", tag, 3, len(v)) + body.ljust(4, b"\0")
        else:
            out += struct.pack(order + "HHII", tag, 4, 1, v)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", at)
    return head + data + b"\0" * (len(data) % 2) + struct.pack(order + "H", n) + out + b"\0" * 4 + extra


def pack(values, bits):
    rows = []
    for row in values.reshape(values.shape[0], -1):
        text = "".join(format(int(v), f"0{bits}b") for v in row)
        text += "0" * (-len(text) % 8)
        rows.append(int(text, 2).to_bytes(len(text) // 8, "big"))
    return b"".join(rows)


def containers():
    for order, end in (("<", "little"), (">", "big")):
        for big in (False, True):
            tf(f"rgb-{end}{'-bigtiff' if big else ''}.tif", RGB, RGB, photometric="rgb", bigtiff=big, byteorder=order)
            tf(f"rgb16-tiles-{end}{'-bigtiff' if big else ''}.tif", RGB.astype(np.uint16) * 257, RGB, photometric="rgb", tile=(16, 16),
               bigtiff=big, byteorder=order, compression="zlib", predictor=True)
    for name in ("lzw", "zlib", "packbits", "zstd"):
        tf(f"rgb-{name}.tif", RGB, RGB, photometric="rgb", compression=name, rowsperstrip=5)
        tf(f"planar-{name}-tiles.tif", RGB.transpose(2, 0, 1), RGB, photometric="rgb", planarconfig="separate", compression=name, tile=(16, 32))
    tf("planar-strips.tif", RGB.transpose(2, 0, 1), RGB, photometric="rgb", planarconfig="separate", rowsperstrip=7)
    tf("planar-predictor.tif", RGB.transpose(2, 0, 1), RGB, photometric="rgb", planarconfig="separate", compression="lzw", predictor=True)
    tf("webp-lossless.tif", RGB, RGB, photometric="rgb", compression="webp", compressionargs={"lossless": True})
    data = tf("no-counts.tif", RGB, RGB, photometric="rgb")
    put("no-counts.tif", drop_tag(data, 279), RGB)
    put("no-photometric.tif", drop_tag(data, 262), RGB)
    # A directory whose first picture is a small copy of the second.
    b = io.BytesIO()
    with tifffile.TiffWriter(b) as t:
        t.write(RGB[::4, ::4].copy(), photometric="rgb", subfiletype=1, metadata=None)
        t.write(RGB, photometric="rgb", metadata=None)
        t.write(GREY, photometric="minisblack", metadata=None)
    put("thumbnail-first.tif", b.getvalue(), RGB)
    # GDAL's sparse files: a tile that takes no bytes is black.
    data = tf("sparse.tif", RGB[:16, :16].copy(), RGB[:16, :16], photometric="rgb", tile=(16, 16))
    put("sparse.tif", set_tag(set_tag(data, 324, 0), 325, 0), np.zeros((16, 16, 3), np.uint8))


def samples():
    g = GREY.astype(float)
    for dtype in ("uint8", "int8", "uint32", "uint64", "int16", "int32", "int64"):
        a = (GREY // 2 if dtype == "int8" else GREY).astype(dtype)
        tf(f"grey-{dtype}.tif", a, grey3(a), photometric="minisblack")
    for dtype in ("float16", "float32", "float64"):
        tf(f"unit-{dtype}.tif", (g / 255).astype(dtype), grey3(GREY), photometric="minisblack", compression="zlib",
           predictor=3 if dtype != "float16" else None)
        tf(f"level-{dtype}-be.tif", g.astype(dtype), grey3(GREY), photometric="minisblack", byteorder=">", compression="zlib", predictor=3)
    # Heights: the least is black, the greatest white.
    tf("heights-float32.tif", (g * 10 - 400).astype("float32"), grey3(GREY), photometric="minisblack", extratags=[(42113, 2, 6, "-9999", True)])
    heights = (g * 10 - 400).astype("int16")
    heights[3:5, 3:9] = -9999
    hole = GREY.copy()
    hole[3:5, 3:9] = 0
    tf("heights-int16-nodata.tif", heights, grey3(hole), photometric="minisblack", extratags=[(42113, 2, 6, "-9999", True)])
    for bits in (10, 12, 14):
        tf(f"grey16-{bits}-used.tif", (GREY.astype(np.uint16) << (bits - 8)) + 1, grey3(GREY), photometric="minisblack")
    tf("grey16.tif", GREY.astype(np.uint16) * 257, grey3(GREY), photometric="minisblack", byteorder=">")
    tf("grey16-miniswhite.tif", 65535 - GREY.astype(np.uint16) * 257, grey3(GREY), photometric="miniswhite", compression="lzw", predictor=True)
    tf("grey8-miniswhite.tif", 255 - GREY, grey3(GREY), photometric="miniswhite")
    for bits in (1, 2, 4, 6, 10, 12, 14):
        v = (GREY.astype(int) << max(bits - 8, 0)) >> max(8 - bits, 0)
        shown = np.round(v * 255 / (2**bits - 1)) if bits <= 8 else v >> (bits - 8)
        for order, end in (("<", ""), (">", "-be")):
            put(f"grey{bits}{end}.tif", plain(W, H, {258: bits, 259: 1, 262: 1, 277: 1}, pack(v, bits), order), grey3(shown))
    v = (RGB.astype(int) << 4)
    put("rgb12.tif", plain(W, H, {258: [12] * 3, 259: 1, 262: 2, 277: 3}, pack(v, 12)), RGB)
    v = RGB.astype(int) >> 4
    put("rgb4.tif", plain(W, H, {258: [4] * 3, 259: 1, 262: 2, 277: 3}, pack(v, 4)), (v * 17).astype(np.uint8))
    flipped = np.array([int(format(i, "08b")[::-1], 2) for i in range(256)], np.uint8)
    put("lsb-first.tif", plain(W, H, {258: [8] * 3, 259: 1, 262: 2, 266: 2, 277: 3}, flipped[RGB].tobytes()), RGB)
    put("lsb-first-1.tif", plain(W, H, {258: 1, 259: 1, 262: 1, 266: 2, 277: 1},
                                 flipped[np.frombuffer(pack(GREY >> 7, 1), np.uint8)].tobytes()), grey3((GREY >> 7) * 255))


def bands():
    four = np.dstack([RGB, NIR])
    tf("rgb-nir.tif", four, RGB, photometric="rgb", extrasamples=["unspecified"])
    tf("rgb-nir-planar16.tif", four.transpose(2, 0, 1).astype(np.uint16) * 257, RGB, photometric="rgb", planarconfig="separate",
       extrasamples=["unspecified"], compression="zlib", tile=(16, 16))
    tf("rgb-nir-alpha.tif", np.dstack([four, ALPHA]), over_white(RGB, ALPHA), photometric="rgb", extrasamples=["unspecified", "unassalpha"])
    tf("rgba.tif", np.dstack([RGB, ALPHA]), over_white(RGB, ALPHA), photometric="rgb", extrasamples=["unassalpha"])
    tf("rgba16-planar.tif", np.dstack([RGB, ALPHA]).transpose(2, 0, 1).astype(np.uint16) * 257, over_white(RGB, ALPHA), photometric="rgb",
       planarconfig="separate", extrasamples=["unassalpha"])
    product = (RGB.astype(int) * ALPHA[..., None] // 255).astype(np.uint8)
    tf("rgba-multiplied.tif", np.dstack([product, ALPHA]), product + (255 - ALPHA[..., None]), photometric="rgb", extrasamples=["assocalpha"])
    tf("grey-alpha.tif", np.dstack([GREY, ALPHA]), over_white(grey3(GREY), ALPHA), photometric="minisblack", extrasamples=["unassalpha"], planarconfig="contig")
    tf("two-bands.tif", np.dstack([GREY, NIR]), grey3(GREY), photometric="minisblack", extrasamples=["unspecified"], planarconfig="contig")
    tf("seven-bands.tif", np.dstack([four, four[..., :3]]), RGB, photometric="minisblack", extrasamples=["unspecified"] * 6, planarconfig="contig")
    tf("three-bands-planar-float.tif", (RGB.transpose(2, 0, 1) / 255).astype("float32"), RGB, photometric="minisblack",
       planarconfig="separate", extrasamples=["unspecified"] * 2)
    data = tf("rgba-unsaid.tif", np.dstack([RGB, ALPHA]), over_white(RGB, ALPHA), photometric="rgb", extrasamples=["unassalpha"])
    put("rgba-unsaid.tif", drop_tag(data, 338), over_white(RGB, ALPHA))


def colors():
    cmyk = Image.fromarray(RGB).convert("CMYK")
    pil("cmyk.tif", cmyk, compression="tiff_lzw")
    ink = np.asarray(cmyk).astype(np.uint16)
    tf("cmyk16-planar.tif", ink.transpose(2, 0, 1) * 257, np.asarray(cmyk.convert("RGB")), photometric="separated", planarconfig="separate")
    for bits in (1, 2, 4, 8):
        p = Image.fromarray(RGB).quantize(2**bits)
        index, table = np.asarray(p), np.array(p.getpalette()[: 3 * 2**bits] + [0] * (3 * 2**bits - len(p.getpalette()[: 3 * 2**bits])))
        cmap = (table.reshape(-1, 3).T * 257).flatten().tolist()
        put(f"palette{bits}.tif", plain(W, H, {258: bits, 259: 1, 262: 3, 277: 1, 320: cmap}, pack(index, bits)), np.asarray(p.convert("RGB")))
        cmap = table.reshape(-1, 3).T.flatten().tolist()
        if bits == 4:
            put("palette4-of-8-bits.tif", plain(W, H, {258: bits, 259: 1, 262: 3, 277: 1, 320: cmap}, pack(index, bits), ">"), np.asarray(p.convert("RGB")))
    ycc = Image.fromarray(RGB).convert("YCbCr")
    put("ycbcr.tif", plain(W, H, {258: [8] * 3, 259: 1, 262: 6, 277: 3, 530: [1, 1]}, np.asarray(ycc).tobytes()), np.asarray(ycc.convert("RGB")))
    for sx, sy in ((2, 2), (2, 1), (4, 1), (1, 2)):
        a = np.asarray(ycc).astype(int)
        w, h = -(-W // sx) * sx, -(-H // sy) * sy
        a = np.pad(a, ((0, h - H), (0, w - W), (0, 0)), "edge")
        blocks = a.reshape(h // sy, sy, w // sx, sx, 3)
        mean = blocks[..., 1:].mean((1, 3)).round().astype(np.uint8)
        luma = blocks[..., 0].transpose(0, 2, 1, 3).reshape(h // sy, w // sx, sx * sy).astype(np.uint8)
        packed = np.concatenate([luma, mean], 2).tobytes()
        full = np.dstack([a[..., 0].astype(np.uint8), mean.repeat(sy, 0).repeat(sx, 1)])[:H, :W]
        put(f"ycbcr-{sx}{sy}.tif", plain(W, H, {258: [8] * 3, 259: 1, 262: 6, 277: 3, 530: [sx, sy]}, packed),
            np.asarray(Image.fromarray(full, "YCbCr").convert("RGB")))
    from PIL import ImageCms
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    to_lab = ImageCms.buildTransform(srgb, lab, "RGB", "LAB")
    back = ImageCms.buildTransform(lab, srgb, "LAB", "RGB", flags=ImageCms.Flags.NOOPTIMIZE | ImageCms.Flags.NOCACHE)
    image = ImageCms.applyTransform(Image.fromarray(RGB), to_lab)
    pil("lab.tif", image, np.asarray(ImageCms.applyTransform(image, back)))
    icc = np.asarray(image).copy()
    icc[..., 1:] ^= 128
    put("icclab.tif", plain(W, H, {258: [8] * 3, 259: 1, 262: 9, 277: 3}, icc.tobytes()), np.asarray(ImageCms.applyTransform(image, back)))


def jpegs():
    for sub in ("4:4:4", "4:2:0"):
        b = io.BytesIO()
        Image.fromarray(RGB).save(b, "TIFF", compression="jpeg", quality=95)
        put("jpeg-ycbcr.tif", b.getvalue(), np.asarray(Image.open(io.BytesIO(b.getvalue())).convert("RGB")))
    for photometric in ("rgb", "ycbcr"):
        b = io.BytesIO()
        with tifffile.TiffWriter(b) as t:
            t.write(RGB, photometric=photometric, compression="jpeg", compressionargs={"level": 97, "outcolorspace": photometric}, tile=(16, 16), metadata=None)
        put(f"jpeg-{photometric}-tiles.tif", b.getvalue(), tifffile.imread(io.BytesIO(b.getvalue())))
    b = io.BytesIO()
    Image.fromarray(GREY).save(b, "TIFF", compression="jpeg", quality=95)
    put("jpeg-grey.tif", b.getvalue(), np.asarray(Image.open(io.BytesIO(b.getvalue())).convert("RGB")))
    b = io.BytesIO()
    Image.fromarray(RGB).convert("CMYK").save(b, "TIFF", compression="jpeg", quality=97)
    put("jpeg-cmyk.tif", b.getvalue(), np.asarray(Image.open(io.BytesIO(b.getvalue())).convert("RGB")))


def fax():
    bilevel = Image.fromarray(RGB).convert("1")
    blank = Image.new("1", (70, 9), 1)
    black = Image.new("1", (2600, 5), 0)
    black.paste(1, (3, 1, 2597, 2))
    for name in ("tiff_ccitt", "group3", "group4"):
        pil(f"{name}.tif", bilevel, compression=name)
        pil(f"{name}-blank.tif", blank, compression=name)
        pil(f"{name}-long.tif", black, compression=name)
        data = pil(f"{name}-minisblack.tif", bilevel, compression=name, tiffinfo={262: 1})
    pil("group3-2d.tif", bilevel, compression="group3", tiffinfo={292: 1})
    data = pil("group4-lsb.tif", bilevel, compression="group4")
    flipped = np.array([int(format(i, "08b")[::-1], 2) for i in range(256)], np.uint8)
    with tifffile.TiffFile(io.BytesIO(data)) as t:
        page = t.pages[0]
        body = b"".join(data[o : o + n] for o, n in zip(page.dataoffsets, page.databytecounts))
        photometric = int(page.photometric)
    put("group4-lsb.tif", plain(W, H, {258: 1, 259: 4, 262: photometric, 266: 2, 277: 1},
                                flipped[np.frombuffer(body, np.uint8)].tobytes()), np.asarray(bilevel.convert("RGB")))


def refused():
    out = HERE / "refused"
    grey = GREY.tobytes()
    for name, tags in {
        "jpeg2000": {258: 8, 259: 33003, 262: 1, 277: 1}, "lerc": {258: 8, 259: 34887, 262: 1, 277: 1},
        "old-jpeg": {258: 8, 259: 6, 262: 1, 277: 1}, "lzma": {258: 8, 259: 34925, 262: 1, 277: 1}, "unknown-compression": {258: 8, 259: 777, 262: 1, 277: 1},
        "complex": {258: 64, 259: 1, 262: 1, 277: 1, 339: 6}, "logluv": {258: 16, 259: 1, 262: 32845, 277: 3},
        "camera-raw": {258: 16, 259: 1, 262: 32803, 277: 1}, "mixed-bits": {258: [5, 6, 5], 259: 1, 262: 2, 277: 3},
        "jpeg12": {258: 12, 259: 7, 262: 1, 277: 1},
    }.items():
        (out / (name + ".tif")).write_bytes(plain(W, H, tags, grey))


def main():
    for folder in ("read", "want", "refused"):
        (HERE / folder).mkdir(exist_ok=True)
    for make in (containers, samples, bands, colors, jpegs, fax, refused):
        make()
    for png in set(p.name for p in (HERE / "want").iterdir()) - set(WANT.values()):
        (HERE / "want" / png).unlink()  # of a file that was written twice
    (HERE / "want.json").write_text(json.dumps(WANT, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
