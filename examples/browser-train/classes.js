// The classes and their images, as cards.
import { takesImages, thumbnail } from './images.js';

/** @typedef {{ readonly file: File }} Example */

export class ClassCard {
  /** @type {Example[]} */
  examples = [];

  /**
   * @param {string} name
   * @param {{ onChange: () => void, onRemove: (card: ClassCard) => void, onError: (error: unknown) => void }} hooks
   */
  constructor(name, hooks) {
    this.hooks = hooks;
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById('class-template'));
    const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    this.element = /** @type {HTMLElement} */ (copy.querySelector('.class'));
    this.nameInput = /** @type {HTMLInputElement} */ (copy.querySelector('.class-name'));
    this.count = /** @type {HTMLElement} */ (copy.querySelector('.class-count'));
    this.thumbs = /** @type {HTMLElement} */ (copy.querySelector('.thumbs'));
    this.nameInput.value = name;
    this.nameInput.addEventListener('input', hooks.onChange);
    copy.querySelector('.class-remove')?.addEventListener('click', () => hooks.onRemove(this));
    const drop = /** @type {HTMLElement} */ (copy.querySelector('.drop'));
    takesImages(drop, (files) => void this.add(files).catch(hooks.onError));
  }

  get name() {
    return this.nameInput.value.trim();
  }

  /** Takes images; what cannot be decoded is named, and the others count. @param {File[]} files */
  async add(files) {
    /** @type {unknown[]} */
    const failed = [];
    for (const file of files) {
      try {
        this.#show({ file }, await thumbnail(file, 96));
      } catch (error) {
        failed.push(error);
      }
    }
    if (failed.length > 0) throw new Error(failed.map((error) => String(error).replace(/^Error: /, '')).join('\n'));
  }

  /** @param {Example} example @param {HTMLCanvasElement} canvas */
  #show(example, canvas) {
    this.examples.push(example);
    const button = document.createElement('button');
    button.title = `${example.file.name}: click to remove`;
    button.append(canvas);
    button.addEventListener('click', () => {
      this.examples = this.examples.filter((one) => one !== example);
      button.remove();
      this.#changed();
    });
    this.thumbs.append(button);
    this.#changed();
  }

  #changed() {
    const { length } = this.examples;
    this.count.textContent = length === 0 ? '' : length === 1 ? '1 image' : `${length} images`;
    this.hooks.onChange();
  }
}
