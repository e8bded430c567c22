/** Shaders that compute one number in a thread, or four that lie side by side, from one file. */
import { readShader, type Shader } from './shader.ts';

/** One number to a thread, and four. */
export interface Widths {
  /** As the file lies. */
  readonly narrow: Shader;
  /** Its sizes along the last dimension are in vectors of four. */
  readonly wide: Shader;
}

/** @param source whose aliases of `// @stored` and `// @wide` are f32 and u32, and become vec4f and vec4u */
export const readWidths = (name: string, source: string): Widths => ({
  narrow: readShader(name, source),
  wide: readShader(
    `${name}-wide`,
    source.replace(/^(alias \w+ = )(f|u)32(;\s*\/\/ *@(?:stored|wide))/gm, '$1vec4$2$3'),
  ),
});
