package dev.sallyport.acme.challenge;

import dev.sallyport.acme.plan.Identifier;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Several boards as one: a proof is shown on the first that takes it.
 *
 * @param boards the one to be preferred first
 */
public record SeveralBoards(List<ChallengeBoard> boards) implements ChallengeBoard {
    public SeveralBoards {
        boards = List.copyOf(boards);
    }

    @Override
    public boolean takes(ChallengeType type, Identifier identifier) {
        return boards.stream().anyMatch(board -> board.takes(type, identifier));
    }

    @Override
    public void present(Proof proof, Duration patience)
            throws NotPresentedException, InterruptedException {
        board(proof)
                .orElseThrow(() ->
                        new NotPresentedException("nothing here answers " + proof.type().text()))
                .present(proof, patience);
    }

    @Override
    public void withdraw(Proof proof) {
        board(proof).ifPresent(board -> board.withdraw(proof));
    }

    private Optional<ChallengeBoard> board(Proof proof) {
        return boards.stream()
                .filter(board -> board.takes(proof.type(), proof.identifier()))
                .findFirst();
    }
}
