/** 'ThawImageViews': inputs images [n, height, width, 3], views [n, VIEW_LENGTH]; attributes ImageViewsSettings; one output. */
import { checkShape } from '../../backend/check-shape.ts';
import { defineKernel } from '../../backend/kernel.ts';
import { planImageViews, VIEW_LENGTH, type ImageViewsSettings } from './image-views.plan.ts';

const imageViews = defineKernel('ThawImageViews', ({ backend, input, attrs }) => {
  const [images, views] = [input('images'), input('views')];
  checkShape('ThawImageViews', 'views', views, [images.shape[0] ?? 0, VIEW_LENGTH]);
  const tuning = backend.gpu.tiling('elementwise').direct;
  const plan = planImageViews(images.shape, attrs<ImageViewsSettings>(), backend.gpu.limits, tuning);
  return backend.runOne(plan, { images, views });
});

export const imageViewsKernels = [imageViews];
