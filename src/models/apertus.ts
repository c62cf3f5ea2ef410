/** Apertus: Llama with norms of queries and keys and the xIELU activation. */
import { plainFfn } from "./parts/ffn.ts";
import type { Family } from "./parts/model.ts";
import { transformer } from "./parts/transformer.ts";

const softplus = (x: number): number => Math.log1p(Math.exp(x));

export const apertus: Family = (m) => {
  const { file, layers } = m.h;
  const [alphaN, alphaP, beta, eps] = ["alpha_n", "alpha_p", "beta", "eps"].map((key) =>
    file.metadata.perLayer(`xielu.${key}`, layers),
  );
  return transformer(m, {
    rope: "neox",
    ffn: (x, layer) => {
      const softN = beta[layer] + softplus(alphaN[layer]);
      const params = [softN, softplus(alphaP[layer]), beta[layer], eps[layer]];
      return plainFfn(m, x, "xielu", params);
    },
  });
};
