# Writes pillow-tones.json: what Pillow's operations on colours make of a small image. python3 pillow-tones.py > pillow-tones.json
import base64
import json
import PIL
from PIL import Image, ImageEnhance, ImageOps

HEIGHT, WIDTH = 24, 36
# A linear congruential generator, whose bytes gather towards the dark; blue has few values.
state, values = 1, []
for i in range(HEIGHT * WIDTH * 3):
    state = (1664525 * state + 1013904223) % 2**32
    x = state / 2**32
    values.append([int(20 + 220 * x * x), int(255 * x), 60 + 40 * int(3 * x)][i % 3])
image = Image.frombytes("RGB", (WIDTH, HEIGHT), bytes(values))

enhance = {"brightness": ImageEnhance.Brightness, "contrast": ImageEnhance.Contrast,
           "saturation": ImageEnhance.Color, "sharpness": ImageEnhance.Sharpness}
cases = [(name, factor, make(image).enhance(factor)) for name, make in enhance.items() for factor in (0.73, 1.27)]
cases += [("posterize", bits, ImageOps.posterize(image, bits)) for bits in (7, 4)]
cases += [("solarize", 178.5, ImageOps.solarize(image, 178.5)),
          ("autocontrast", 0, ImageOps.autocontrast(image)), ("equalize", 0, ImageOps.equalize(image))]


def text(image):
    return base64.b64encode(image.tobytes()).decode()


print(json.dumps({"pillow": PIL.__version__, "height": HEIGHT, "width": WIDTH, "image": text(image),
                  "cases": [{"name": n, "amount": a, "rgb": text(i)} for n, a, i in cases]}, indent=2))
