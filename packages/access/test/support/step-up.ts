import {
  type Act,
  canonicalJson,
  type Exchange,
  type StepUp,
  type StepUpChallenge,
  type StepUpDemand,
  type StepUpProof,
} from '@postern/core'

/** Identity's part, played: proofs by age, and proofs bound to an act, used up by being asked for. */
export class PlayedStepUp implements StepUp {
  readonly demands: StepUpDemand[] = []
  readonly #confirmed: string[] = []
  provenAt = 0
  signInAt = '/sign-in'

  signIn(): string {
    return this.signInAt
  }

  confirm(act: Act): void {
    this.#confirmed.push(canonicalJson({ ...act }))
  }

  check(exchange: Exchange, demand: StepUpDemand): StepUpProof | StepUpChallenge {
    this.demands.push(demand)
    if (demand.act !== undefined) {
      const index = this.#confirmed.indexOf(canonicalJson({ ...demand.act }))
      if (index >= 0) {
        this.#confirmed.splice(index, 1)
        return { amr: ['hwk'], time: exchange.time, confirmation: { digest: 'd', assertion: 'a' } }
      }
    } else if (exchange.time - this.provenAt <= demand.within) return { amr: ['otp'], time: this.provenAt }
    return {
      location: '/.postern/step-up',
      authenticate: `Bearer error="insufficient_user_authentication", max_age="${demand.within / 1_000}"`,
    }
  }
}
