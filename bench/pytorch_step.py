#!/usr/bin/env python3
"""The steps of `thaw bench step` in PyTorch, for the same table: `thaw bench step --with <what this printed>`.

    python3 bench/pytorch_step.py --image-size 32 --batch-size 32 > pytorch.json
    thaw bench step --with pytorch.json

ResNet-50 is written out below, so that torch alone is needed. Channels-last, Adam, cross-entropy on random images and
labels; weights are random, as times do not depend on them. Engines: float32 with TF32 off, TF32, and automatic mixed
precision with loss scaling; with --cuda-graphs each once more, captured and replayed. Batch-norms of frozen layers use
their moving statistics, those of layers that train the batch's, as in Thaw's --batch-norm keras.
"""

import argparse
import contextlib
import json
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


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
    """ResNet-50 without its top."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64))
        stages, inputs = [], 64
        for width, depth, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
            blocks = [Bottleneck(inputs if i == 0 else 4 * width, width, stride if i == 0 else 1) for i in range(depth)]
            stages.append(nn.Sequential(*blocks))
            inputs = 4 * width
        self.stages = nn.ModuleList(stages)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.stem(x), inplace=True), 3, 2, 1)
        for stage in self.stages:
            x = stage(x)
        return x


def article_head(inputs, classes=10):
    widths, layers = [inputs, 32, 16, 8], []
    for a, b in zip(widths, widths[1:]):
        layers += [nn.Linear(a, b), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Linear(8, classes))


def last_42(trunk):
    """Keras's last 42 layers of ResNet50: the last block of its stage conv4, and conv5."""
    return [trunk.stages[2][5], trunk.stages[3]]


def thaw(trunk, case):
    """Freezes the trunk but for what the case trains."""
    for parameter in trunk.parameters():
        parameter.requires_grad_(case in ("all", "article-2"))
    trunk.train(case in ("all", "article-2"))
    if case in ("article-2", "article-2-last42"):
        for module in last_42(trunk):
            module.requires_grad_(case == "article-2-last42")
            module.train(case == "article-2-last42")


class Step:
    """One case on one device: `run()` is one step."""

    def __init__(self, case, device, image_size, batch_size, amp):
        torch.manual_seed(1)
        trunk = Trunk().to(device, memory_format=torch.channels_last)
        thaw(trunk, case)
        pixels = max(1, image_size // 32) ** 2
        head = article_head(2048 * pixels).to(device)
        self.batch_size = batch_size
        if case == "head":
            images = torch.rand(batch_size, 2048 * pixels, device=device)
        else:
            images = torch.rand(batch_size, 3, image_size, image_size, device=device)
            images = images.to(memory_format=torch.channels_last)
        labels = torch.arange(batch_size, device=device) % 10
        trained = [p for p in [*trunk.parameters(), *head.parameters()] if p.requires_grad]
        is_cuda = device.type == "cuda"
        optimizer = torch.optim.Adam(trained, lr=1e-3, eps=1e-7, capturable=is_cuda)
        scaler = torch.amp.GradScaler(device.type, enabled=amp and is_cuda)
        half = torch.float16 if is_cuda else torch.bfloat16
        self.loss = None

        def run():
            cast = torch.autocast(device.type, dtype=half) if amp else contextlib.nullcontext()
            if case == "features":
                with torch.no_grad(), cast:
                    return trunk(images)
            optimizer.zero_grad(set_to_none=True)
            with cast:
                x = images if case == "head" else trunk(images).flatten(1)
                loss = F.cross_entropy(head(x), labels)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            self.loss = loss
            return loss

        self.run = run
        self.amp = amp

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
    """Milliseconds of a step in several rounds, each of at least `slot` seconds."""
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None

    def seconds(times):
        wait()
        start = time.perf_counter()
        for _ in range(times):
            step.run()
        wait()
        return time.perf_counter() - start

    seconds(3)
    times = max(1, min(200, round(slot / max(seconds(1), 1e-6))))
    return [1000 * seconds(times) / times for _ in range(rounds)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image-size", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cases", default="features,head,article-2-last42,article-2,all")
    parser.add_argument("--modes", default="fp32,tf32,amp")
    parser.add_argument("--cuda-graphs", action="store_true")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    device = torch.device(options.device)
    is_cuda = device.type == "cuda"
    torch.backends.cudnn.benchmark = True

    rows = []
    for case in options.cases.split(","):
        for mode in options.modes.split(","):
            if mode == "tf32" and not is_cuda:
                continue
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = mode != "fp32"
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
                samples = measure(step, device, options.rounds)
                median = statistics.median(samples)
                row = {
                    "case": case,
                    "engine": f"pytorch {mode}{' graph' if graphs else ''}",
                    "imageSize": options.image_size,
                    "batchSize": options.batch_size,
                    "imagesPerSecond": 1000 * options.batch_size / median,
                    "milliseconds": {"median": median, "min": min(samples), "max": max(samples), "rounds": len(samples)},
                }
                if is_cuda:
                    row["peakBytes"] = torch.cuda.max_memory_allocated()
                rows.append(row)
                print(f"{case}, {row['engine']}: {median:.2f} ms", file=sys.stderr)
    name = torch.cuda.get_device_name() if is_cuda else "processor"
    print(json.dumps({"device": name, "torch": torch.__version__, "cuda": torch.version.cuda, "rows": rows}))


if __name__ == "__main__":
    main()
