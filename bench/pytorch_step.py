#!/usr/bin/env python3
"""The steps of `thaw bench step` in PyTorch, for the same table: `thaw bench step --with <what this printed>`.

    python3 bench/pytorch_step.py --image-size 32 --batch-size 32 > pytorch.json
    thaw bench step --with pytorch.json

ResNet-50 is written out below, so that torch alone is needed. Channels-last, Adam (fused on CUDA), cross-entropy on random
images and labels; weights are random, as times do not depend on them. Modes: float32 with TF32 off, TF32, and automatic
mixed precision (float16 with loss scaling on CUDA, bfloat16 elsewhere); with --cuda-graphs each once more, captured and
replayed. Batch-norms of frozen layers use their moving statistics, those of layers that train the batch's, as in Thaw.

That it is the same step is checked, not believed: Thaw writes one with its weights, images, loss and gradients,

    thaw bench step --filter all --export-step step.safetensors
    python3 bench/pytorch_step.py --check step.safetensors

and this takes it in float32 and compares. PyTorch 1.13 or later; 2.0 on CUDA.
"""

import argparse
import contextlib
import json
import platform
import statistics
import struct
import sys
import time

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ModuleNotFoundError:
    sys.exit(f"{sys.executable} has no PyTorch: pip install torch, or apt install python3-torch and /usr/bin/python3.")

CASES = ("features", "head", "article-2-last42", "article-2", "all")


class Bottleneck(nn.Module):
    """1x1, 3x3 with the stride, 1x1, and a projection where the shape changes."""

    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = None
        if stride != 1 or inputs != 4 * width:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width)
            )

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        y = self.bn3(self.conv3(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)), inplace=True)


class Trunk(nn.Module):
    """ResNet-50 without its top, under torchvision's names."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inputs = 64
        for i, (width, depth, stride) in enumerate(((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))):
            blocks = [Bottleneck(inputs if j == 0 else 4 * width, width, stride if j == 0 else 1) for j in range(depth)]
            setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))
            inputs = 4 * width

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x)), inplace=True), 3, 2, 1)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        # As Thaw flattens it: channels last.
        return x.permute(0, 2, 3, 1).flatten(1)


def article_head(inputs, classes=10):
    widths, layers = [inputs, 32, 16, 8], []
    for a, b in zip(widths, widths[1:]):
        layers += [nn.Linear(a, b), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Linear(8, classes))


def last_42(trunk):
    """Keras's last 42 layers of ResNet50: the last block of its stage conv4, and conv5."""
    return [trunk.layer3[5], trunk.layer4]


def thaw(trunk, case):
    """Freezes the trunk but for what the case trains."""
    for parameter in trunk.parameters():
        parameter.requires_grad_(case in ("all", "article-2"))
    trunk.train(case in ("all", "article-2"))
    if case in ("article-2", "article-2-last42"):
        for module in last_42(trunk):
            module.requires_grad_(case == "article-2-last42")
            module.train(case == "article-2-last42")


def grad_scaler(enabled):
    if hasattr(torch.amp, "GradScaler"):
        return torch.amp.GradScaler("cuda", enabled=enabled)
    return torch.cuda.amp.GradScaler(enabled=enabled)


class Step:
    """One case on one device: `run()` is one step."""

    def __init__(self, case, device, image_size, batch_size, amp):
        torch.manual_seed(1)
        self.case = case
        self.trunk = Trunk().to(device, memory_format=torch.channels_last)
        thaw(self.trunk, case)
        # Each of five strides of two rounds up.
        side = -(-image_size // 32)
        inputs = 2048 * side * side
        self.head = article_head(inputs).to(device)
        shape = (batch_size, inputs) if case == "head" else (batch_size, 3, image_size, image_size)
        self.images = torch.rand(shape, device=device)
        if case != "head":
            self.images = self.images.to(memory_format=torch.channels_last)
        self.labels = torch.arange(batch_size, device=device) % 10
        trained = [p for p in [*self.trunk.parameters(), *self.head.parameters()] if p.requires_grad]
        is_cuda = device.type == "cuda"
        self.optimizer = torch.optim.Adam(trained, lr=1e-3, eps=1e-7, **(dict(capturable=True, fused=True) if is_cuda else {}))
        scaler = grad_scaler(amp and is_cuda)
        half = torch.float16 if is_cuda else torch.bfloat16

        def run():
            cast = torch.autocast(device.type, dtype=half) if amp else contextlib.nullcontext()
            with cast:
                if case == "features":
                    return self.features()
                loss = self.loss()
            self.optimizer.zero_grad(set_to_none=True)
            scaler.scale(loss).backward()
            scaler.step(self.optimizer)
            scaler.update()
            return loss

        self.run = run

    def features(self):
        with torch.no_grad():
            return self.trunk(self.images)

    def loss(self):
        x = self.images if self.case == "head" else self.trunk(self.images)
        return F.cross_entropy(self.head(x).float(), self.labels)

    def capture(self):
        """The same step as a CUDA graph."""
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.run()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.run()
        self.run = graph.replay


def measure(step, device, rounds, slot=0.25):
    """Milliseconds of a step in rounds of at least `slot` seconds, and of these on the host where the device is another."""
    is_cuda = device.type == "cuda"
    wait = torch.cuda.synchronize if is_cuda else lambda: None

    def seconds(times):
        wait()
        start = time.perf_counter()
        for _ in range(times):
            step.run()
        wait()
        return time.perf_counter() - start

    def host_seconds():
        wait()
        start = time.perf_counter()
        step.run()
        return time.perf_counter() - start

    # Compiles, chooses convolutions, makes the optimizer's state.
    seconds(5)
    times = max(1, min(200, round(slot / max(seconds(1), 1e-6))))
    samples = [1000 * seconds(times) / times for _ in range(rounds)]
    return samples, [1000 * host_seconds() for _ in range(rounds)] if is_cuda else None


def spread(samples):
    return {"median": statistics.median(samples), "min": min(samples), "max": max(samples), "rounds": len(samples)}


def set_mode(mode):
    """PyTorch's default lets convolutions use TF32, so float32 has to be asked for."""
    torch.backends.cuda.matmul.allow_tf32 = mode != "fp32"
    torch.backends.cudnn.allow_tf32 = mode != "fp32"


def bench(options, device):
    is_cuda = device.type == "cuda"
    torch.backends.cudnn.benchmark = True
    rows = []
    for case in options.cases.split(","):
        for mode in options.modes.split(","):
            if mode == "tf32" and not is_cuda:
                continue
            set_mode(mode)
            for graphs in (False, True) if options.cuda_graphs and is_cuda else (False,):
                # A captured step cannot ask on the host whether the scaled gradients overflowed.
                if graphs and mode == "amp" and case != "features":
                    continue
                if is_cuda:
                    torch.cuda.empty_cache()
                    torch.cuda.reset_peak_memory_stats()
                step = Step(case, device, options.image_size, options.batch_size, mode == "amp")
                if graphs:
                    step.capture()
                samples, host = measure(step, device, options.rounds)
                row = {
                    "case": case,
                    "engine": f"pytorch {mode}{' graph' if graphs else ''}",
                    "imageSize": options.image_size,
                    "batchSize": options.batch_size,
                    "imagesPerSecond": 1000 * options.batch_size / statistics.median(samples),
                    "milliseconds": spread(samples),
                }
                if is_cuda:
                    row["hostMilliseconds"] = spread(host)
                    row["peakBytes"] = torch.cuda.max_memory_allocated()
                rows.append(row)
                print(f"{case}, {row['engine']}: {row['milliseconds']['median']:.2f} ms", file=sys.stderr)
                del step
    versions = {"torch": torch.__version__, "python": platform.python_version()}
    if is_cuda:
        versions |= {"cuda": torch.version.cuda, "cudnn": str(torch.backends.cudnn.version())}
    name = torch.cuda.get_device_name() if is_cuda else f"processor, threads: {torch.get_num_threads()}"
    print(json.dumps({"device": name, "versions": versions, "commandLine": " ".join(sys.argv), "rows": rows}))


def read_safetensors(path):
    """Tensors by name, and the file's metadata. The format: https://github.com/huggingface/safetensors"""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    metadata = header.pop("__metadata__", {})
    dtypes = {"F32": torch.float32, "I32": torch.int32}
    tensors = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        tensor = torch.frombuffer(data, dtype=dtypes[entry["dtype"]], count=(end - start) // 4, offset=start)
        tensors[name] = tensor.reshape(entry["shape"])
    return tensors, metadata


def to_pytorch(tensor):
    """HWIO to OIHW, [in, out] to [out, in]."""
    return tensor.permute(3, 2, 0, 1) if tensor.dim() == 4 else tensor.t() if tensor.dim() == 2 else tensor


def check(path, device):
    """Takes Thaw's step and compares. Returns whether everything agrees."""
    tensors, metadata = read_safetensors(path)
    case = metadata["case"]
    set_mode("fp32")
    step = Step(case, device, int(metadata["imageSize"]), int(metadata["batchSize"]), amp=False)

    def part(prefix):
        return {name[len(prefix) :]: to_pytorch(t) for name, t in tensors.items() if name.startswith(prefix)}

    if case != "head":
        missing = step.trunk.load_state_dict(part("trunk."), strict=False).missing_keys
        if any(not name.endswith("num_batches_tracked") for name in missing):
            raise SystemExit(f"{path} lacks {', '.join(missing)}")
    step.head.load_state_dict(part("head."))
    images = tensors["images"]
    step.images = (images if images.dim() == 2 else images.permute(0, 3, 1, 2)).to(device)
    step.labels = tensors["labels"].long().to(device)
    if case == "features":
        found = {"features": step.features()}
    else:
        loss = step.loss()
        loss.backward()
        found = {"loss": loss.detach()}
        for prefix, module in (("trunk.", step.trunk), ("head.", step.head)):
            for name, parameter in module.named_parameters():
                if parameter.grad is not None:
                    found[f"gradient of {prefix}{name}"] = parameter.grad
    agrees = True
    for name in sorted(name for name in tensors if name in ("loss", "features") or name.startswith("gradient of ")):
        want = to_pytorch(tensors[name]) if name.startswith("gradient") else tensors[name]
        if name not in found:
            raise SystemExit(f"PyTorch has no {name}")
        difference = ((found[name].cpu().double() - want.double()).norm() / want.double().norm()).item()
        # What rounding explains, as packages/bench/src/bench-step.ts derives it.
        allowed = 5e-2 if name.startswith("gradient") else 2.2e-3
        agrees = agrees and difference <= allowed
        verdict = "" if difference <= allowed else "  DISAGREES"
        print(f"{name}: differs by {difference:.1e} of its length, {allowed:.1e} allowed{verdict}")
    print(f"{case}: {'the same step' if agrees else 'not the same step'}")
    return agrees


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image-size", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cases", default=",".join(CASES), help="default: %(default)s")
    parser.add_argument("--modes", default="fp32,tf32,amp", help="default: %(default)s; tf32 on CUDA only")
    parser.add_argument("--cuda-graphs", action="store_true", help="each mode once more, captured and replayed")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="default: %(default)s")
    parser.add_argument("--check", metavar="FILE", help="compare with a step that thaw bench step --export-step wrote")
    options = parser.parse_args()
    for given, known in ((options.cases, CASES), (options.modes, ("fp32", "tf32", "amp"))):
        for word in given.split(","):
            if word not in known:
                parser.error(f"{word!r} is none of {', '.join(known)}")
    device = torch.device(options.device)
    if options.check:
        return 0 if check(options.check, device) else 1
    bench(options, device)
    return 0


if __name__ == "__main__":
    sys.exit(main())
