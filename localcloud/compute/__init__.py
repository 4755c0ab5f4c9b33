"""What runs the project's own code: API Gateway, Lambda and Step Functions."""
