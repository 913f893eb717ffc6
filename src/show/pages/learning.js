function showLearning(main) {}
